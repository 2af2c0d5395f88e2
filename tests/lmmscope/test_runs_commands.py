"""`lmmscope runs`: lists, transcripts, files and cleaning up, for people and for programs."""

import json
import os

import pytest
import typer
from typer.testing import CliRunner

from agent.findings import Cost
from agent.store import Store, Verdict
from lmmscope import runs_commands
from lmmscope.exits import TidyGroup
from tests.agent.store.conftest import PROVENANCE, call_of, event_of, finding_of

SPENT = Cost(calls=3, tokens=120, seconds=1.5)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with Store(tmp_path / "runs") as store:
        store.begin("0301-aa", "what is [feature] 118?", PROVENANCE, pid=os.getpid())
        step = {"run": "0301-aa"}
        store.hear(event_of("the plan", unit="run", step=1, kind="plan", **step))
        store.hear(event_of("asked", kind="tool", tool="explain", cost=SPENT, **step))
        store.hear(event_of("a red [umbrella]", kind="finding", place=1, cost=SPENT, **step))
        store.record(call_of(**step))
        name = store.put(finding_of(run="0301-aa"))
        store.judge(Verdict(finding=name, reviewer="ada", score=5))
        store.ended("0301-aa", "done", "It is an umbrella.")
        store.begin("0302-bb", "and 119?", PROVENANCE, pid=os.getpid())
    return tmp_path / "runs"


@pytest.fixture
def run(folder):
    app = typer.Typer(cls=TidyGroup)
    app.add_typer(runs_commands.app, name="runs")
    return lambda *given: CliRunner().invoke(app, ["runs", *given, "--runs", str(folder)])


def test_the_list_names_every_run_the_latest_first(run):
    told = run("list")
    assert told.exit_code == 0, told.stderr
    first, second = told.stdout.splitlines()[1:3]
    assert first.startswith("0302-bb")
    assert "interrupted" in first
    assert "done" in second
    assert "3 calls, 120 tokens, 1.5 s" in second
    assert "what is [feature] 118?" in second
    as_json = json.loads(run("list", "--json").stdout)
    assert [one["id"] for one in as_json] == ["0302-bb", "0301-aa"]


def test_a_transcript_is_nested_by_unit_and_step(run):
    lines = run("show", "0301").stdout.splitlines()
    depth = {
        word: next(line.index(word) for line in lines if word in line)
        for word in ("what is", "the plan", "0/118", "2 decide", "tool explain")
    }
    assert depth["what is"] < depth["0/118"] < depth["2 decide"] < depth["tool explain"]
    told = "\n".join(lines)
    assert "2 decide  3 calls, 120 tokens, 1.5 s" in told
    assert "a red [umbrella]" in told
    assert "It is an umbrella." in told


def test_show_gives_programs_everything(run):
    told = json.loads(run("show", "0301-aa", "--json").stdout)
    assert told["run"]["cost"]["calls"] == 3
    assert [one["kind"] for one in told["events"]] == ["plan", "tool", "finding"]
    assert told["findings"][0]["id"] == finding_of(run="0301-aa").id


def test_an_export_has_every_record_on_a_line(run, tmp_path):
    out = tmp_path / "run.jsonl"
    told = run("export", "0301", "--out", str(out))
    assert told.exit_code == 0, told.stderr
    records = [json.loads(line) for line in out.read_text().splitlines()]
    kinds = [one["record"] for one in records]
    assert kinds == ["run", "event", "event", "event", "call", "finding", "verdict"]
    assert records[4]["reply"]["text"] == "a cat"
    assert list(tmp_path.glob(".*")) == []


def test_a_file_that_can_t_be_written_is_one_line(run, tmp_path):
    told = run("export", "0301", "--out", str(tmp_path / "nowhere" / "run.jsonl"))
    assert told.exit_code == 2
    assert "can't be written" in told.stderr
    assert told.stderr.count("\n") == 1


def test_cleaning_up_says_how_much_and_a_dry_run_does_nothing(run, folder):
    with Store(folder) as store:
        orphan = store.artefacts.put(b"12345")
        os.utime(folder / "artefacts" / orphan[:2] / orphan, (1, 1))
        assert "would remove 1 files, 5 bytes" in run("gc", "--dry-run").stdout
        assert orphan in store.artefacts
        assert json.loads(run("gc", "--json").stdout) == {"files": 1, "bytes": 5, "kept": 0}
        assert orphan not in store.artefacts


@pytest.mark.parametrize(
    ("given", "said"),
    [(["show", "x"], "no run 'x'. Try lmmscope runs list"), (["show", "0"], "begins 2 runs")],
)
def test_a_name_that_fits_no_run_or_several_is_one_line(run, given, said):
    told = run(*given)
    assert told.exit_code == 2
    assert said in told.stderr


def test_without_runs_the_way_to_the_first_is_told(tmp_path):
    app = typer.Typer(cls=TidyGroup)
    app.add_typer(runs_commands.app, name="runs")
    told = CliRunner().invoke(app, ["runs", "list", "--runs", str(tmp_path)])
    assert told.exit_code == 2
    assert "Try lmmscope ask" in told.stderr
