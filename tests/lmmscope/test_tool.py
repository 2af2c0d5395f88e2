"""Tools by hand and by program: one lab, JSON out, failures in one line."""

import json

import pytest
from typer.testing import CliRunner

from lmmscope.cli import app
from lmmscope.tool_command import WONT_WORK
from tools.registry import NAMES
from toybox.planted import plant

SEED = 3
FEATURE = next(number for number, one in enumerate(plant(SEED)) if one.rule == "single")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_RUNS", str(tmp_path))
    monkeypatch.setenv("LMMSCOPE_DATA__EXPLORE_PICTURES", "80")
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments, lines=""):
        return CliRunner().invoke(app, ["tool", *arguments], input=lines)

    return invoke


def planted(run, *arguments, lines=""):
    return run(*arguments, "--planted-seed", str(SEED), lines=lines)


def test_without_a_name_all_tools_are_listed(run):
    listed = run()
    assert listed.exit_code == 0
    assert [name for name in NAMES if name not in listed.stdout] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_tool_describes_all_of_its_arguments(run, name):
    described = json.loads(run(name, "--describe").stdout)
    assert described["name"] == name
    arguments = described["arguments"]["properties"]
    assert [one for one, schema in arguments.items() if not schema.get("description")] == []


def test_a_tool_takes_pairs_and_json_alike(run):
    pairs = planted(run, "top_images", f"feature={FEATURE}", "top=3")
    assert pairs.exit_code == 0, pairs.stderr
    as_json = planted(run, "top_images", "--json", json.dumps({"feature": FEATURE, "top": 3}))
    assert json.loads(pairs.stdout) == json.loads(as_json.stdout)
    assert json.loads(pairs.stdout)["feature"] == FEATURE


def test_lines_are_answered_one_by_one_and_failures_among_them(run):
    calls = [
        {"tool": "top_images", "arguments": {"feature": FEATURE}},
        {"tool": "top_images", "arguments": {"feature": -1}},
        {"tool": "nothing"},
        ["no call"],
    ]
    lines = "\n".join(map(json.dumps, calls)) + "\n\nno json\n"
    answers = [
        json.loads(line) for line in planted(run, "--lines", lines=lines).stdout.splitlines()
    ]
    assert answers[0]["result"]["feature"] == FEATURE
    assert [answer["failure"] for answer in answers[1:]] == ["wont_work"] * 4
    assert "feature" in answers[1]["reason"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["top_image"], "Did you mean top_images?"),
        (["top_images", "feature"], "'feature' is no KEY=VALUE"),
        (["top_images"], "top_images: feature: Field required"),
        (
            ["top_images", "feature=1", "path=/etc"],
            "top_images: path: Extra inputs are not permitted",
        ),
        (["top_images", "feature=1", "split=test"], "The split test is sealed"),
        (["top_images", "--json", "{"], "top_images: arguments: Invalid JSON"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_2(run, arguments, complaint):
    failed = planted(run, *arguments)
    assert failed.exit_code == WONT_WORK
    assert complaint in failed.stderr
    assert failed.stderr.count("\n") == 1
