"""`lmmscope runs export` and `lmmscope findings export`: files where people expect them, once."""

import csv
import io
import json
import os
import sys
import zipfile

import pytest
import typer
from typer.testing import CliRunner

from agent.store import Store
from lmmscope import findings_commands, runs_commands
from lmmscope.exits import TidyGroup
from tests.agent.store.conftest import PROVENANCE, event_of, finding_of


@pytest.fixture
def call(tmp_path, monkeypatch):
    """The command, with a store of one run, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    with Store(tmp_path / "runs") as store:
        store.begin("0301-aa", "what is 118?", PROVENANCE, pid=os.getpid())
        store.hear(event_of("asked", run="0301-aa", unit="run", kind="asked"))
        store.put(finding_of(run="0301-aa"))
        store.put(finding_of(9, run="0301-aa", label=None, status="too rare"))
        store.ended("0301-aa", "done", "It is an umbrella.")
    app = typer.Typer(cls=TidyGroup)
    app.add_typer(runs_commands.app, name="runs")
    app.add_typer(findings_commands.app, name="findings")
    return lambda *given: CliRunner().invoke(app, [*given, "--runs", str(tmp_path / "runs")])


def files(folder):
    return sorted(one.name for one in folder.iterdir() if one.is_file())


@pytest.mark.parametrize(
    ("form", "name"),
    [("json", "0301-aa.jsonl"), ("html", "0301-aa.html"), ("spans", "0301-aa.spans.jsonl")],
)
def test_a_run_becomes_a_file_that_is_named_after_it(call, tmp_path, form, name):
    told = call("runs", "export", "0301", "--format", form)
    assert told.exit_code == 0, told.stderr
    assert files(tmp_path) == [name]
    assert "what is 118?" in (tmp_path / name).read_text()


def test_a_log_for_inspect_is_named_as_inspect_does(call, tmp_path):
    assert call("runs", "export", "0301", "--format", "inspect").exit_code == 0
    (name,) = files(tmp_path)
    assert name.endswith("_lmmscope_0301-aa.json")
    assert json.loads((tmp_path / name).read_text())["version"] == 2


@pytest.mark.parametrize("given", [("runs", "export", "0301"), ("findings", "export")])
def test_a_file_that_is_there_is_kept_unless_forced(call, tmp_path, given):
    out = tmp_path / "mine"
    out.write_text("precious")
    told = call(*given, "--out", str(out))
    assert told.exit_code == 2
    assert "exists already" in told.stderr
    assert "--force" in told.stderr
    assert out.read_text() == "precious"
    assert call(*given, "--out", str(out), "--force").exit_code == 0
    assert "precious" not in out.read_text()
    assert files(tmp_path) == ["mine"]


def test_an_export_that_breaks_off_leaves_nothing_and_keeps_what_was(call, tmp_path, monkeypatch):
    def broken(*_):
        yield "half"
        raise RuntimeError

    monkeypatch.setattr("review.exports.runs.page_pieces", broken)
    (tmp_path / "0301-aa.html").write_text("precious")
    told = call("runs", "export", "0301", "--format", "html", "--force")
    assert isinstance(told.exception, RuntimeError)
    assert files(tmp_path) == ["0301-aa.html"]
    assert (tmp_path / "0301-aa.html").read_text() == "precious"


def test_a_folder_is_no_file_to_write(call, tmp_path):
    told = call("findings", "export", "--out", str(tmp_path), "--force")
    assert told.exit_code == 2
    assert "is a folder" in told.stderr


def test_findings_are_printed_for_pipes(call):
    rows = list(csv.DictReader(io.StringIO(call("findings", "export").stdout, newline="")))
    assert [(one["feature"], one["status"]) for one in rows] == [
        ("9", "too rare"),
        ("118", "supported"),
    ]
    told = call("findings", "export", "--format", "jsonl", "--status", "supported")
    (line,) = told.stdout.splitlines()
    assert json.loads(line)["auroc"] == 0.9


def test_findings_of_a_run_are_chosen_by_the_beginning_of_its_name(call):
    assert call("findings", "export", "--run", "03").stdout.count("\n") == 3
    told = call("findings", "export", "--run", "04")
    assert told.exit_code == 2
    assert "no run '04'" in told.stderr


def test_formats_that_are_no_text_need_a_file(call, tmp_path):
    for form in ("parquet", "neuronpedia"):
        told = call("findings", "export", "--format", form)
        assert told.exit_code == 2
        assert "--out FILE" in told.stderr
    told = call("findings", "export", "--format", "neuronpedia", "--out", "all.zip")
    assert told.exit_code == 0, told.stderr
    assert "2 features, 1 explanations, 0 activations; the evidence of 2 is gone" in told.stdout
    assert zipfile.is_zipfile(tmp_path / "all.zip")


def test_without_pyarrow_no_file_is_left(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = call("findings", "export", "--format", "parquet", "--out", "all.parquet")
    assert told.exit_code == 2
    assert "lmmscope[parquet]" in told.stderr
    assert files(tmp_path) == []


@pytest.mark.parametrize("given", [["--format", "html"], ["--format", "spans", "--out", "x"]])
def test_only_spans_are_sent_and_then_no_file_is_written(call, given):
    told = call("runs", "export", "0301", "--send", *given)
    assert told.exit_code == 2
    assert "--format spans --send" in told.stderr
