"""`lmmscope runs fork`: a run left at an event, on planted features and a few pictures."""

import json
import os
from collections import Counter

import pytest
from typer.testing import CliRunner

from agent.store import Store
from lmmscope.cli import app
from tests.agent.store.conftest import PROVENANCE, event_of

FEW = {
    "LMMSCOPE_DATA__EXPLORE_PICTURES": "120",
    "LMMSCOPE_DATA__HELD_OUT_PICTURES": "60",
}
RARE, TESTED = 2, 14
"""A feature that fires on too few pictures, and one that gets its label tested."""


def invoke(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, arguments)


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A folder with a batch, and a run that left it where the label went into the sealed test."""
    folder = tmp_path_factory.mktemp("runs")
    given = ("--planted-seed", "0", "--workers", "1", "--runs", str(folder))
    result = invoke("batch", "--features", f"{RARE},{TESTED}", *given)
    assert result.exit_code == 0, result.stderr
    with Store(folder) as store:
        run = store.runs_begun()[0].id
        at = next(one for one in store.events(run) if one.who == "verify")
        forked = invoke("runs", "fork", run, "--at", at.name, "--no-steer", "--runs", str(folder))
        assert forked.exit_code == 0, forked.stderr
        assert len(store.runs_begun()) == 2
    return folder, run, at, store_of(folder)


def store_of(folder):
    """The fork, with what it kept."""
    with Store(folder) as store:
        fork = store.runs_begun()[0]
        return fork, store.findings(fork.id), store.calls(fork.id)


def test_a_fork_comes_from_its_event_and_keeps_what_stood(left):
    folder, run, at, (fork, (finding,), _) = left
    assert fork.provenance.fork == at.name
    assert finding.feature == TESTED
    assert "1 of them were known before" in fork.answer
    shown = invoke("runs", "show", fork.id, "--runs", str(folder))
    assert f"left the run {run} at {at.name}" in shown.stdout
    told = json.loads(invoke("runs", "show", fork.id, "--json", "--runs", str(folder)).stdout)
    assert told["events"][0]["result"]["options"]["fork"] == at.name


def test_its_opening_of_the_sealed_pictures_is_a_second_try(left):
    folder, run, _, (_, (finding,), _) = left
    with Store(folder) as store:
        before = next(one for one in store.findings(run) if one.feature == TESTED)
    assert finding.key != before.key
    assert finding.hypotheses == before.hypotheses
    assert finding.verification.claim == before.verification.claim
    assert (before.verification.tries, finding.verification.tries) == (1, 2)
    tested = [(one.p, two.p) for one, two in zip(before.verification.checks,
              finding.verification.checks, strict=True) if one.p is not None]  # fmt: skip
    assert any(one < two for one, two in tested)
    assert all(two == min(1.0, 2 * one) for one, two in tested)


def test_its_transcript_has_the_history_too(left):
    folder, run, at, (_, _, calls) = left
    with Store(folder) as store:
        before = [one for one in store.calls(run) if one.step < at.step]
    again = [one for one in calls if one.step < at.step]
    told = [Counter((one.digest, one.reply.text) for one in each) for each in (again, before)]
    assert told[0] == told[1]
    assert {(one.cost.calls, one.cost.cached) for one in again} == {(0, 1)}


def test_a_replay_of_a_fork_comes_to_the_same_and_knows_its_tries(left):
    folder, _, _, (fork, _, _) = left
    result = invoke("runs", "replay", fork.id, "--runs", str(folder))
    assert result.exit_code == 0, result.stderr
    assert "the findings are the same" in result.stderr


@pytest.mark.parametrize("at", ["0/14.999", "nowhere"])
def test_an_event_that_there_is_not_is_one_line(left, at):
    folder, run, _, _ = left
    result = invoke("runs", "fork", run, "--at", at, "--runs", str(folder))
    assert result.exit_code == 2
    assert f"has no event '{at}'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_run_that_is_being_worked_on_is_not_left(tmp_path):
    with Store(tmp_path) as store:
        store.begin("0301-aa", "what is 118?", PROVENANCE, pid=os.getpid())
        store.hear(event_of("asked", run="0301-aa", unit="run", step=1, kind="asked"))
        result = invoke("runs", "fork", "0301", "--at", "run.1", "--runs", str(tmp_path))
    assert result.exit_code == 2
    assert f"worked on by process {os.getpid()}" in result.stderr
    assert "then lmmscope runs fork 0301-aa --at run.1" in result.stderr
    assert result.stderr.count("\n") == 1
