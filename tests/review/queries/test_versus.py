"""Two runs side by side: what agrees, what changed, what only one of them found out."""

import os
from datetime import timedelta

import pytest

from review.queries import versus
from tests.agent.store.conftest import NOON, PROVENANCE, behaviour_of, finding_of


@pytest.fixture
def two(store):
    """r1 and r2: every way in which two runs may differ."""
    store.begin("r2", "and again?", PROVENANCE, pid=os.getpid())
    for run, label in (("r1", "umbrella"), ("r2", "Umbrella")):
        store.put(finding_of(1, label, run=run))
    for run, label in (("r1", "cat"), ("r2", "dog")):
        store.put(finding_of(2, label, run=run))
    store.put(finding_of(3, "cup", run="r1"))
    store.put(finding_of(3, None, "too rare", run="r2"))
    store.put(finding_of(4, "kite", run="r1"))
    store.put(finding_of(5, "boat", run="r2"))
    store.put(finding_of(1, "umbrella", run="r2", coder="other"))
    for run in ("r1", "r2"):
        store.put(behaviour_of(run=run))
    return store


def kinds(store, left="r1", right="r2", **given):
    rows = versus.side_by_side(store, left, right, **given).page.rows
    return {(one.coder, one.feature): one.kind for one in rows}


def test_each_subject_is_told_once_with_how_they_differ(two):
    assert kinds(two) == {
        ("coder", None): "same", ("coder", 1): "same", ("coder", 2): "label",
        ("coder", 3): "status", ("coder", 4): "left", ("coder", 5): "right", ("other", 1): "right",
    }  # fmt: skip
    assert versus.side_by_side(two, "r1", "r2").tallies == {
        "status": 1, "label": 1, "same": 2, "left": 1, "right": 2
    }  # fmt: skip


def test_the_other_way_round_sides_change_places(two):
    there = versus.side_by_side(two, "r1", "r2").tallies
    back = versus.side_by_side(two, "r2", "r1").tallies
    assert (back["left"], back["right"]) == (there["right"], there["left"])
    assert (back["status"], back["label"], back["same"]) == (1, 1, 2)


def test_a_run_says_the_same_as_itself(two):
    assert set(kinds(two, "r1", "r1").values()) == {"same"}


def test_of_several_findings_of_a_run_the_last_counts(two):
    two.put(finding_of(2, "dog", run="r1", key="later", at=NOON + timedelta(hours=1)))
    assert kinds(two)["coder", 2] == "same"


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_follow_each_other(two, size):
    found, after = [], None
    while True:
        page = versus.side_by_side(two, "r1", "r2", after=after, size=size).page
        found += page.rows
        if (after := page.after) is None:
            break
    assert found == list(versus.side_by_side(two, "r1", "r2").page.rows)


def test_one_kind_is_listed_alone(two):
    assert list(kinds(two, kind="right")) == [("coder", 5), ("other", 1)]


def test_runs_that_found_nothing_are_empty(two):
    assert versus.side_by_side(two, "no", "none").page.rows == ()
    assert set(versus.side_by_side(two, "no", "none").tallies.values()) == {0}
