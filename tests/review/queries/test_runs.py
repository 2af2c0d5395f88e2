"""The list of runs: every run once, the latest first, with what it came to."""

import os

import pytest

from agent.errors import WontWork
from agent.findings import Cost
from review.queries import runs
from review.queries.runs import Wanted
from tests.agent.store.conftest import PROVENANCE, event_of, finding_of


def every(store, wanted=None, size=2):
    """The ids on all pages, one page after the other."""
    ids, after = [], None
    while True:
        page = runs.page(store, wanted, after=after, size=size)
        ids += [one.id for one in page.rows]
        if (after := page.after) is None:
            return ids


def begin(store, *names):
    for name in names:
        store.begin(name, f"about {name}", PROVENANCE, pid=os.getpid())


def at_noon(store):
    with store._file.change() as db:
        db.execute("UPDATE runs SET began = '2026-03-01T12:00:00.000000+00:00'")


def test_an_empty_store_has_no_runs(empty):
    assert runs.page(empty).rows == ()
    assert set(runs.tallies(empty).values()) == {0}
    assert runs.line(empty, "r1") is None


def test_pages_show_each_run_once_even_where_all_began_at_once(store):
    begin(store, "r2", "r3", "r4", "r5")
    assert every(store) == ["r5", "r4", "r3", "r2", "r1"]
    at_noon(store)
    for size in (1, 2, 3, 5, 6):
        assert every(store, size=size) == ["r5", "r4", "r3", "r2", "r1"]


def test_a_line_tells_what_a_run_came_to(store):
    store.hear(event_of(kind="tool", cost=Cost(calls=2, seconds=0.5)))
    store.hear(event_of(kind="failure", unit="0/119", cost=Cost(calls=1)))
    store.put(finding_of())
    line = runs.line(store, "r1")
    assert (line.units, line.events, line.failures, line.findings) == (2, 2, 1, 1)
    assert line.cost == Cost(calls=3, seconds=0.5)
    assert (line.status, line.ended) == ("running", None)
    assert line.seconds >= 0
    store.ended("r1", "done", "it is an umbrella")
    line = runs.line(store, "r1")
    assert line.seconds == (line.ended - line.began).total_seconds()


def test_a_run_that_nobody_works_on_any_more_is_interrupted(store):
    begin(store, "r2")
    store.ended("r2", "done", "")
    store._let_go("r1")
    assert every(store, Wanted(status="interrupted")) == ["r1"]
    assert every(store, Wanted(status="running")) == []
    assert runs.line(store, "r1").seconds is None
    store.resumed("r1", pid=os.getpid())
    assert every(store, Wanted(status="running")) == ["r1"]
    assert every(store, Wanted(status="interrupted")) == []
    tallies = runs.tallies(store)
    assert (tallies["running"], tallies["interrupted"], tallies["done"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("words", "found"),
    [("feature 118", ["r1"]), ("100%", ["r2"]), ("0_0", []), ("UMBRELLA", ["r2"]), ("!", [])],
)
def test_runs_are_searched_by_what_they_contain_whatever_signs_it_has(store, words, found):
    begin(store, "r2")
    store.ended("r2", "done", "an umbrella, 100% sure")
    assert every(store, Wanted(words=words)) == found


@pytest.mark.parametrize("after", ["", "[]", '["a"]', "[1,2]", '["a",null]', "{", '["a","b","c"]'])
def test_a_mark_that_was_changed_by_hand_is_told(store, after):
    with pytest.raises(WontWork, match="marks no page"):
        runs.page(store, after=after)
