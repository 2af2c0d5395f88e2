"""What happened in a run, level by level: nothing is missed, nothing is shown twice."""

import os
from datetime import timedelta

import pytest

from agent.errors import WontWork
from agent.findings import Cost
from review.queries import events
from tests.agent.store.conftest import NOON, PROVENANCE, call_of, event_of, finding_of


def hear(store, *units, **fields):
    for n, unit in enumerate(units):
        store.hear(event_of(f"in {unit}", unit=unit, at=NOON + timedelta(seconds=n), **fields))


def test_a_run_without_events_has_no_units(store):
    assert events.units(store, "r1").rows == ()
    assert events.unit(store, "r1", "run") is None
    assert events.steps(store, "r1", "run") == ()
    assert events.search(store, "r1", "x") == events.Found((), None)
    assert events.tail(store, "r1", events.tail(store, "r1").mark).events == ()


def test_units_come_in_the_order_in_which_they_began_page_by_page(store):
    names = ["run", "0", "0/10", "0/9", "0/118", "1"]
    hear(store, *names)
    for size in (1, 2, 5, 6, 7):
        found, after = [], None
        while True:
            page = events.units(store, "r1", after=after, size=size)
            found += [one.unit for one in page.rows]
            if (after := page.after) is None:
                break
        assert found == names


def test_units_that_began_at_once_are_all_shown(store):
    for name in ("a", "b", "c"):
        store.hear(event_of(unit=name, at=NOON))
    first = events.units(store, "r1", size=1)
    second = events.units(store, "r1", after=first.after, size=1)
    third = events.units(store, "r1", after=second.after, size=1)
    assert [page.rows[0].unit for page in (first, second, third)] == ["a", "b", "c"]
    assert third.after is None


def test_a_unit_tells_what_it_took_and_what_came_of_it(store):
    spent = Cost(calls=2, cached=1, tokens=30, seconds=0.5, money=0.25)
    store.hear(event_of(kind="tool", cost=spent))
    store.hear(event_of(kind="failure", place=1, cost=Cost(calls=1)))
    store.hear(event_of(kind="finding", place=2, cost=spent))
    name = store.put(finding_of(118))
    line = events.unit(store, "r1", "0/118")
    assert (line.events, line.failures, line.cost) == (3, 1, spent.plus(Cost(calls=1)))
    assert (line.began, line.latest) == (NOON, NOON + timedelta(seconds=2))
    assert (line.finding, line.status, line.label) == (name, "supported", "red umbrella")


def test_a_finding_of_another_run_is_no_result_of_this_ones_unit(store):
    store.begin("r2", "?", PROVENANCE, pid=os.getpid())
    store.put(finding_of(118, run="r2"))
    hear(store, "0/118", "118", "0/fix")
    assert {one.finding for one in events.units(store, "r1").rows} == {None}


def test_totals_follow_events_that_are_replaced_or_taken_back(store):
    store.hear(event_of(kind="failure", step=1, cost=Cost(calls=1)))
    store.hear(event_of(kind="tool", step=2, cost=Cost(calls=4)))
    store.hear(event_of(kind="tool", step=2, cost=Cost(calls=2)))
    line = events.unit(store, "r1", "0/118")
    assert (line.events, line.failures, line.cost.calls) == (2, 1, 3)
    store.begin_step("r1", "0/118", 2)
    line = events.unit(store, "r1", "0/118")
    assert (line.events, line.failures, line.cost.calls) == (1, 1, 1)
    store.begin_step("r1", "0/118", 1)
    assert events.unit(store, "r1", "0/118") is None


def test_steps_and_their_events_and_calls_are_those_of_the_unit(store):
    store.hear(event_of("a", kind="tool", step=2, cost=Cost(calls=1)))
    store.hear(event_of("b", kind="test", step=2, place=1, cost=Cost(calls=1)))
    store.hear(event_of("c", step=10))
    store.hear(event_of("elsewhere", unit="0/119", step=2))
    store.record(call_of(step=2))
    store.record(call_of(step=2, text="and now?"))
    first, second = events.steps(store, "r1", "0/118")
    assert (first.step, first.events, first.cost.calls, first.asked) == (2, 2, 1, 2)
    assert (second.step, second.events, second.asked) == (10, 1, 0)
    assert [one.text for one in events.events(store, "r1", "0/118", 2)] == ["a", "b"]
    assert [one.text for one in events.events(store, "r1", "0/118")] == ["a", "b", "c"]
    one, other = events.calls(store, "r1", "0/118", 2)
    assert (one.role, one.failed) == ("judge", False)
    assert events.call(store, "r1", other.number).messages[0].parts[0].text == "and now?"
    assert events.call(store, "r2", other.number) is None


def test_a_tail_gives_what_came_in_since_and_nothing_twice(store):
    hear(store, "run", "0")
    mark = events.tail(store, "r1").mark
    assert events.tail(store, "r1", mark) == events.Tail((), mark)
    for n in range(5):
        store.hear(event_of(f"new {n}", unit=f"0/{n}", at=NOON + timedelta(seconds=10 + n // 3)))
    found = []
    while (part := events.tail(store, "r1", mark, most=2)).events:
        found += [one.text for one in part.events]
        mark = part.mark
    assert found == [f"new {n}" for n in range(5)]


def test_a_tail_does_not_miss_what_takes_the_rows_of_a_step_that_broke_off(store):
    hear(store, "run")
    store.hear(event_of("broke off", at=NOON + timedelta(seconds=5)))
    mark = events.tail(store, "r1").mark
    store.begin_step("r1", "0/118", 2)
    store.hear(event_of("done again", at=NOON + timedelta(seconds=9)))
    assert [one.text for one in events.tail(store, "r1", mark).events] == ["done again"]


@pytest.mark.parametrize("words", ["100%", "o'", '"quoted"', "a_b", "!"])
def test_search_takes_signs_for_what_they_are(store, words):
    store.hear(event_of("nothing here", place=0))
    store.hear(event_of("it said", place=1, result={"said": f"x {words} y"}, kind="tool"))
    found = events.search(store, "r1", words.replace('"', '\\"'))
    assert [one.place for one in found.events] == [1]
    assert found.after is None


@pytest.mark.parametrize(("most", "size"), [(1, 50), (2, 1), (7, 2), (1000, 3), (1000, 50)])
def test_search_goes_on_where_it_stopped_until_all_is_read(store, monkeypatch, most, size):
    monkeypatch.setattr(events, "MOST_READ", most)
    for n in range(12):
        text = "an umbrella" if n % 3 else "a boat"
        store.hear(event_of(f"{text} {n}", unit=f"0/{n % 4}", step=n // 4, place=0))
    found, after, turns = [], None, 0
    while turns == 0 or after is not None:
        part = events.search(store, "r1", "UMBRELLA", after=after, size=size)
        found += [one.name for one in part.events]
        after, turns = part.after, turns + 1
    assert len(found) == len(set(found)) == 8
    assert turns <= 14


def test_a_mark_of_another_list_is_told(store):
    with pytest.raises(WontWork, match="marks no page of this list"):
        events.search(store, "r1", "x", after=events.tail(store, "r1").mark)
