"""Asking the agent from the command line, on planted features and a few pictures."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from langchain_core.messages import AIMessage
from typer.testing import CliRunner

from agent.findings import FeatureFinding
from agent.scripted import ScriptedModel
from agent.store import Reader
from lmmscope import agent_hands
from lmmscope.cli import app
from tools import gathering as tools_gathering
from tools import top_images

FEW = {
    "LMMSCOPE_DATA__EXPLORE_PICTURES": "400",
    "LMMSCOPE_DATA__HELD_OUT_PICTURES": "200",
}


def invoke(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, arguments)


def told(folder, run="", *more):
    result = invoke("runs", "show", run, "--runs", str(folder), "--json", *more)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def batch(folder, *more, features="0,1"):
    given = ("--features", features, "--planted-seed", "0", "--runs", str(folder))
    return invoke("batch", *given, *more)


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder in which the agent was asked about a planted feature."""
    folder = tmp_path_factory.mktemp("runs")
    result = invoke(
        "ask", "what does feature 0 respond to?", "--planted-seed", "0", "--runs", str(folder)
    )
    assert result.exit_code == 0, result.stderr
    return folder, result


def test_an_answer_cites_its_finding_and_says_how_to_review_it(asked):
    folder, result = asked
    with Reader(folder) as store:
        (run,) = store.runs_begun()
        (finding,) = store.findings(run.id)
    assert isinstance(finding, FeatureFinding)
    assert finding.id in result.stdout
    assert f"runs show {run.id}" in result.stdout
    assert run.status == "done"


def test_every_step_of_a_run_is_on_record(asked):
    folder, _ = asked
    with Reader(folder) as store:
        run = store.runs_begun()[0].id
        events, calls = store.events(run), store.calls(run)
    assert {"asked", "plan", "task", "tool", "finding", "answer"} <= {e.kind for e in events}
    assert {call.role for call in calls} >= {"explainer"}
    assert all(e.arguments is not None and e.result is not None for e in events if e.kind == "tool")


def test_a_finding_says_what_it_would_take_to_find_it_again(asked):
    folder, _ = asked
    with Reader(folder) as store:
        known = store.newest().provenance
    assert known.model == "toybox:renderer"
    assert set(known.pictures) == {"explore", "validate", "test"}
    assert {"explain", "judge", "refine"} <= set(known.prompts)
    assert known.packages["torch"]


def test_the_conversation_goes_on(asked):
    folder, _ = asked
    planned = invoke("ask", "and feature 1?", "--continue", "--plan-only", "--runs", str(folder))
    assert json.loads(planned.stdout)["tasks"] == [{"task": "investigate", "features": [1]}]


def test_a_plan_alone_asks_and_writes_nothing(tmp_path):
    result = invoke("ask", "label features 3 to 5", "--plan-only", "--runs", str(tmp_path))
    assert json.loads(result.stdout)["tasks"][0]["task"] in ("label", "investigate")
    assert not any(path.suffix == ".jsonl" for path in tmp_path.rglob("*"))


def test_what_is_not_understood_is_said_with_three_alternatives(asked):
    folder, _ = asked
    result = invoke(
        "ask", "what is the weather tomorrow?", "--planted-seed", "0", "--runs", str(folder)
    )
    assert result.exit_code == 0
    assert result.stdout.count("•") == 3


def test_a_replay_comes_to_the_same_finding_and_asks_no_model(asked):
    folder, _ = asked
    with Reader(folder) as store:
        run = store.runs_begun()[-1].id
        before = len(store.calls(run))
    result = invoke("runs", "replay", run, "--runs", str(folder))
    assert result.exit_code == 0, result.stderr
    assert "the findings are the same" in result.stderr
    with Reader(folder) as store:
        assert len(store.calls(run)) == before
        assert len(store.findings(run)) == 1


def test_what_is_known_is_not_found_out_again(asked):
    folder, _ = asked
    result = batch(folder, "--json", features="0")
    answer = json.loads(result.stdout)
    assert "1 of them were known before" in answer["answer"]
    with Reader(folder) as store:
        assert store.findings(answer["run"]) == ()


def test_a_bug_about_one_feature_stops_no_other_and_keeps_its_traceback(tmp_path, monkeypatch):
    gather = tools_gathering.gather

    def breaks(lab, feature, *more):
        if feature == 1:
            raise ZeroDivisionError("by nothing")
        return gather(lab, feature, *more)

    monkeypatch.setattr(top_images, "gather", breaks)
    answer = json.loads(batch(tmp_path, "--json", "--no-steer", features="0,1").stdout)
    assert "feature 1: ZeroDivisionError: by nothing" in answer["answer"]
    with Reader(tmp_path) as store:
        (found,) = store.findings(answer["run"])
        assert found.feature == 0
        failures = [one for one in store.events(answer["run"]) if one.kind == "failure"]
    assert any("in breaks" in (one.result or {}).get("traceback", "") for one in failures)


def test_a_budget_that_ends_pauses_the_run_which_then_goes_on(tmp_path):
    paused = batch(tmp_path, "--calls", "3")
    assert paused.exit_code == 75
    assert "runs resume" in paused.stderr
    with Reader(tmp_path) as store:
        run = store.runs_begun()[0]
    assert run.status == "paused"
    again = invoke("runs", "resume", run.id, "--runs", str(tmp_path))
    assert (again.exit_code, "budget of 3 calls" in again.stderr) == (75, True), again.stderr
    resumed = invoke("runs", "resume", run.id, "--calls", "1000", "--runs", str(tmp_path))
    assert resumed.exit_code == 0, resumed.stderr
    with Reader(tmp_path) as store:
        assert store.run(run.id).status == "done"
        assert len(store.findings(run.id)) == 2


def test_a_killed_batch_is_resumed_and_finds_the_same_once(tmp_path):
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert batch(calm).exit_code == 0
    command = [sys.executable, "-m", "lmmscope", "batch", "--features", "0,1"]
    process = subprocess.Popen(
        [*command, "--planted-seed", "0", "--runs", str(killed)],
        env=os.environ | FEW,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while _events(killed) < 8 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Reader(killed) as store:
        (run,) = store.runs_begun()
        assert not run.alive
    assert invoke("runs", "resume", run.id, "--runs", str(killed)).exit_code == 0
    assert _lasting(killed) == _lasting(calm)
    collected = json.loads(invoke("runs", "gc", "--runs", str(killed), "--json").stdout)
    left = invoke("runs", "gc", "--dry-run", "--runs", str(killed), "--json")
    assert collected["kept"] > 0
    assert json.loads(left.stdout)["files"] == 0


def _events(folder):
    if not (folder / "findings.db").exists():
        return 0
    with Reader(folder) as store:
        runs = store.runs_begun()
        return len(store.events(runs[0].id)) if runs else 0


def _lasting(folder):
    with Reader(folder) as store:
        found = store.findings(store.runs_begun()[0].id)
    changing = {"at", "cost", "run", "provenance"}
    return {one.key: one.model_dump(mode="json", exclude=changing) for one in found}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "--features"),
        (["--features", "1-x"], "'1-x'"),
        (["--features", "3", "--active", "4"], "one of"),
        (["--file", "nowhere.txt"], "nowhere.txt"),
        (["--features", "0-99999999999"], "1,000,000 features"),
        (["--features", "3", "--ray", "local", "--workers", "2"], "--actors"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_in_one_line(given, complaint):
    result = invoke("batch", *given)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_model_that_investigates_freely_gets_the_same_sealed_test(tmp_path, monkeypatch):
    claims = {"name": "Claims", "args": {"claims": ["yellow color", "a beach"]}, "id": "1"}
    look = {"name": "top_images", "args": {"feature": 0, "split": "test"}, "id": "0"}
    script = tuple(AIMessage("", tool_calls=[call]) for call in (look, claims))
    monkeypatch.setattr(agent_hands, "free_model", lambda _: ScriptedModel(replies=script))
    result = batch(tmp_path, "--free", features="0")
    assert result.exit_code == 0, result.stderr
    with Reader(tmp_path) as store:
        finding, events = store.newest(), store.events(store.runs_begun()[0].id)
    assert {one.claim for one in finding.hypotheses} == {"yellow color", "a beach"}
    assert {one.origin for one in finding.hypotheses} == {"free"}
    assert any(e.kind == "failure" and "sealed" in e.text for e in events)
    assert finding.verification is None or finding.verification.split == "test"
    with Reader(tmp_path) as store:
        (run,) = store.runs_begun()
        asked = [call for call in store.calls(run.id) if call.role == "planner"]
    assert [(call.unit, '"tool": "Claims"' in call.reply.text) for call in asked] == [
        ("0/0", False),
        ("0/0", True),
    ]
    monkeypatch.setattr(agent_hands, "free_model", lambda _: pytest.fail("a replay asked a model"))
    told = invoke("runs", "replay", run.id, "--runs", str(tmp_path))
    assert told.exit_code == 0, told.stderr


def test_investigating_freely_without_a_chat_model_says_what_to_set(tmp_path):
    result = batch(tmp_path, "--free")
    assert result.exit_code == 2
    assert "servers.planner" in result.stderr


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("compare features 0 and 1", "Features 0 and 1"),
        ("find features for red cars", "feature"),
        ("what fires on picture 7?", "explore 7"),
        ("how do things stand?", "runs"),
        ("explain the latest finding", "feature 0"),
        ("what is known about feature 0?", "feature 0"),
        ("look into the sae", "2,048 features"),
    ],
)
def test_every_other_task_has_an_answer(asked, question, said):
    folder, _ = asked
    result = invoke("ask", question, "--planted-seed", "0", "--runs", str(folder))
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout
    assert "could not be done" not in result.stdout
