"""What is written is what is read, in one piece, once."""

import os
import sqlite3
from datetime import timedelta

import pytest

from agent.findings import Cost
from agent.plan import Investigate, Plan
from agent.store import Reader, Store, Verdict
from agent.transcript import asking
from sae_core.errors import UserError
from tests.agent.store.conftest import (
    NOON,
    PROVENANCE,
    behaviour_of,
    call_of,
    event_of,
    finding_of,
)


def table(store, name):
    return store._file.rows(f"SELECT * FROM {name}")


def test_a_run_is_told_from_its_question_to_its_answer(store):
    plan = Plan(tasks=(Investigate(features=(118,)),))
    store.planned("r1", plan)
    store.put(finding_of())
    began = store.run("r1")
    assert (began.status, began.alive, began.ended, began.pid) == (
        "running", True, None, os.getpid(),
    )  # fmt: skip
    store.ended("r1", "done", "it is an umbrella")
    ended = store.run("r")
    assert (ended.status, ended.alive, ended.answer) == ("done", False, "it is an umbrella")
    assert (ended.plan, ended.question, ended.findings) == (plan, "what is feature 118?", 1)
    assert (ended.profile, ended.provenance) == ("toybox", PROVENANCE)
    assert ended.began <= ended.ended


def test_costs_of_a_run_count_what_was_spent_and_not_what_was_summed_up(store):
    spent = Cost(calls=2, cached=1, tokens=30, seconds=0.5, money=0.25)
    store.hear(event_of(kind="tool", tool="explain", cost=spent))
    store.hear(event_of(kind="failure", tool="score", cost=spent, place=1))
    store.hear(event_of(kind="finding", cost=spent.plus(spent), place=2))
    store.hear(event_of(kind="plan", unit="run", step=1, cost=Cost(calls=1)))
    both = spent.plus(spent)
    assert store.run("r1").cost == both.plus(Cost(calls=1))
    steps = {(one.unit, one.step): one.cost for one in store.step_costs("r1")}
    assert steps == {("0/118", 2): both, ("run", 1): Cost(calls=1)}


def test_events_come_back_as_they_were_and_in_order(store):
    artefact = store.artefacts.put(b"a picture")
    first = event_of(
        "a call", kind="tool", tool="ground", arguments={"label": "a 'b'"}, result={"iou": [0.5]},
        artefacts=(artefact,), cost=Cost(calls=1, seconds=0.25), at=NOON + timedelta(hours=1),
    )  # fmt: skip
    store.hear(first)
    store.hear(event_of("later", unit="run", step=0))
    assert store.events("r1") == (first, event_of("later", unit="run", step=0))


def test_a_step_that_is_done_again_leaves_no_trace_of_the_first_try(store):
    artefact = store.artefacts.put(b"tried")
    for place in range(3):
        store.hear(event_of(f"try {place}", place=place, artefacts=(artefact,)))
    store.hear(event_of("another step", step=1))
    store.record(call_of())
    store.record(call_of(step=1))
    store.begin_step("r1", "0/118", 2)
    store.hear(event_of("done"))
    assert [one.text for one in store.events("r1")] == ["another step", "done"]
    assert [one.step for one in store.calls("r1")] == [1]
    assert table(store, "artefacts") == []


def test_an_event_of_the_same_name_takes_the_place_of_the_first(store):
    artefact = store.artefacts.put(b"one")
    store.hear(event_of("first", artefacts=(artefact,)))
    store.hear(event_of("second"))
    assert [one.text for one in store.events("r1")] == ["second"]
    assert store.referenced() == set()


def test_a_finding_comes_back_as_it_was_with_rows_beside_it(store):
    artefact = store.artefacts.put(b"evidence")
    kept = finding_of(artefact=artefact)
    assert store.put(kept) == kept.id
    assert store.finding(kept.id[:5]) == kept
    claims = [(row["rank"], row["claim"], row["tests"]) for row in table(store, "hypotheses")]
    assert claims == [(0, "red umbrella", 1), (1, "a beach", 0)]
    rows = {
        (row["whose"], row["measure"], row["null_name"]): (
            row["value"],
            row["null_value"],
            row["p"],
        )
        for row in table(store, "scores")
    }
    assert len(rows) == 7
    assert rows["claim", "iou_strict", "moved_masks"] == (0.6, 0.1, 0.01)
    assert rows["one-shot", "auroc", "shuffled_labels"] == (0.8, 0.5, 0.1)
    assert rows["difference", "better", None] == (0.1, None, 0.04)
    assert table(store, "evidence") == [{"finding": kept.id, "artefact": artefact}]


def test_a_behaviour_is_kept_as_well(store):
    store.put(behaviour_of())
    assert store.newest() == behaviour_of(at=store.newest().at)
    assert [row["measure"] for row in table(store, "scores")] == ["reproduced"]


def test_a_finding_that_is_kept_never_changes(store):
    store.put(finding_of())
    store.put(finding_of(label="a dog", summary="another"))
    assert store.findings("r1") == (finding_of(),)
    counts = [len(table(store, name)) for name in ("hypotheses", "words")]
    assert counts == [2, 1]


def test_a_finding_is_kept_with_all_of_its_rows_or_not_at_all(store, monkeypatch):
    def broken(_):
        raise RuntimeError("killed")

    monkeypatch.setattr("agent.store.rows.score_rows", broken)
    with pytest.raises(RuntimeError, match="killed"):
        store.put(finding_of())
    names = ("findings", "hypotheses", "words", "evidence")
    assert [table(store, name) for name in names] == [[], [], [], []]
    assert store.done("coder 118") is None


def test_the_latest_finding_counts_and_only_the_same_coder_s(store):
    store.begin("r2", "again", PROVENANCE, pid=1)
    store.put(finding_of(label="second", run="r2", at=NOON + timedelta(seconds=1)))
    store.put(finding_of(label="first"))
    store.put(finding_of(label="other", coder="another", run="r2", at=NOON + timedelta(days=1)))
    assert store.done("coder 118").label == "second"
    assert store.latest(118, "coder").label == "second"
    assert store.latest(118, "another").label == "other"
    assert store.newest().label == "other"
    assert store.latest(119, "coder") is None
    shown = store._file.rows("SELECT coder, label, iou, auroc FROM feature_table")
    assert [tuple(row.values()) for row in shown] == [
        ("another", "other", 0.6, 0.9),
        ("coder", "second", 0.6, 0.9),
    ]


def test_calls_come_back_as_they_were(store):
    store.record(call_of(cost=Cost(calls=1, tokens=9)))
    store.record(call_of("d2", said="a dog", role="explainer"))
    assert store.calls("r1") == (
        call_of(cost=Cost(calls=1, tokens=9)),
        call_of("d2", said="a dog", role="explainer"),
    )
    assert [one.digest for one in store.calls("r1", "explainer")] == ["d2"]


def test_a_seal_opens_for_one_claim_and_for_ever(store, runs):
    with asking("r1", "0/118", 4):
        assert store.open("key", "a cat", "pictures")
    assert store.open("key", "a cat", "pictures")
    assert not store.open("key", "a dog", "pictures")
    assert store.open("key", "a dog", "other pictures")
    with Store(runs) as later:
        assert not later.open("key", "a dog", "pictures")
    assert table(store, "seals")[0]["run"] == "r1"


def test_openings_are_counted_by_what_they_were_for(store):
    for key, subject in (("seed 0", "feature 3"), ("seed 1", "feature 3"), ("seed 2", "feature 4")):
        store.open(key, "a cat", "pictures", subject)
    store.open("seed 0", "a cat", "pictures", "feature 3")
    assert store.tries("pictures", "feature 3") == 2
    assert store.tries("other pictures", "feature 3") == 0


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM seals", "DELETE FROM verdicts", "UPDATE verdicts SET score = 5"],
)
def test_seals_and_verdicts_stay_whatever_program_is_used(store, runs, statement):
    store.open("key", "a cat", "pictures")
    store.put(finding_of())
    store.judge(Verdict(finding=finding_of().id, reviewer="ada", score=2))
    with sqlite3.connect(runs / "findings.db") as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    other.close()


def test_verdicts_stand_beside_each_other(store):
    name = store.put(finding_of())
    first = Verdict(finding=name, reviewer="ada", score=4, tags=("too broad",), at=NOON)
    second = Verdict(finding=name, reviewer="ada", score=1, note="it's the beach", at=NOON)
    store.judge(first)
    store.judge(second)
    assert store.verdicts(name) == (first, second)
    with pytest.raises(UserError, match="no finding 'nothing'"):
        store.judge(Verdict(finding="nothing", reviewer="ada", score=1))


def test_a_beginning_that_fits_several_names_is_refused(store):
    store.begin("r2", "again", PROVENANCE, pid=1)
    with pytest.raises(UserError, match=r"'r' begins 2 runs \(r"):
        store.run("r")
    with pytest.raises(UserError, match="no run 'x'"):
        store.run("x")


def test_a_name_is_taken_literally(store):
    with pytest.raises(UserError, match="no run '%'"):
        store.run("%")
    with pytest.raises(UserError, match="no name for a run"):
        store.begin("../r", "?", PROVENANCE, pid=1)


def test_a_run_begins_once(store):
    store.ended("r1", "done", "")
    with pytest.raises(UserError, match="a run r1 already"):
        store.begin("r1", "again", PROVENANCE, pid=1)
    assert store.run("r1").question == "what is feature 118?"


def test_a_reader_sees_what_is_written_after_it_came(store, runs):
    with Reader(runs) as reader:
        assert reader.findings("r1") == ()
        store.put(finding_of())
        assert reader.findings("r1") == (finding_of(),)
        assert reader.live()[0].id == "r1"


def test_the_report_counts_runs_findings_and_costs(store):
    store.put(finding_of())
    store.put(finding_of(119, status="no explanation", label=None))
    store.hear(event_of(kind="tool", tool="explain", cost=Cost(calls=3, tokens=50, seconds=7)))
    store.ended("r1", "paused", "stopped")
    said = store.report()
    assert "1 runs: 1 paused." in said
    assert "2 findings: 1 supported, 1 no explanation." in said
    assert "3 model calls, 0 replies from the cache, 50 tokens, 7 s" in said


def test_how_a_finding_stands_in_its_batch_is_kept_beside_it_and_never_in_it(store):
    found = finding_of()
    store.put(found)
    store.correct("r1", "0", 0.05, {found.id: 0.2})
    store.correct("r1", "0", 0.05, {found.id: 0.08})
    (stands,) = store.discoveries(found.id)
    assert (stands.run, stands.among, stands.adjusted, stands.holds) == ("r1", 1, 0.08, False)
    assert store.finding(found.id) == found
    assert [row["holds"] for row in table(store, "batch_table")] == [0]
