"""What lists read is kept up with what it is made from, and older files get it."""

import os
import random
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlite_utils import Database

from agent.findings import Cost
from agent.store import Reader, Store
from agent.store.rows import event_row, finding_row, score_rows, words_row
from agent.store.schema import MIGRATIONS
from sae_core.errors import UserError
from tests.agent.store.conftest import (
    NOON,
    PROVENANCE,
    behaviour_of,
    event_of,
    finding_of,
)

EVENTS = [
    event_of(kind="tool", cost=Cost(calls=2, tokens=7, seconds=0.5)),
    event_of(kind="failure", place=1, cost=Cost(calls=1)),
    event_of(kind="finding", place=2, cost=Cost(calls=3)),
    event_of(kind="plan", unit="run", step=1, at=NOON - timedelta(seconds=9)),
]
FINDINGS = [
    finding_of(118, key="first"),
    finding_of(118, key="second", at=NOON + timedelta(hours=1)),
    finding_of(7, None, "too rare"),
    behaviour_of(at=NOON),
]


def same(store, table, view):
    """Both hold the same rows."""
    return all(
        not store.rows(f"SELECT * FROM {one} EXCEPT SELECT * FROM {other}")
        for one, other in ((table, view), (view, table))
    )


@pytest.fixture
def old(runs):
    """A file of the program before there were lists."""
    runs.mkdir()
    db = Database(runs / "findings.db")
    MIGRATIONS.apply(db, stop_before="4 lists")
    run = {
        "id": "r1", "question": "what is feature 118?", "profile": "toybox", "status": "done",
        "began": "2026-03-01T12:00:00.000000+00:00", "provenance": PROVENANCE.model_dump_json(),
    }  # fmt: skip
    db.table("runs").insert(run)
    db.table("events").insert_all(map(event_row, EVENTS))
    for one in FINDINGS:
        db.table("findings").insert(finding_row(one))
        db.table("words").insert(words_row(one))
        db.table("scores").insert_all(score_rows(one))
    db.conn.commit()
    db.close()
    return runs


def test_an_older_file_keeps_all_and_has_what_lists_need(old, tmp_path):
    with Store(tmp_path / "new") as new:
        new.begin("r1", "what is feature 118?", PROVENANCE, pid=os.getpid())
        for event in EVENTS:
            new.hear(event)
        for finding in FINDINGS:
            new.put(finding)
        expected = {one: new.rows(f"SELECT * FROM {one}") for one in ("units", "overview")}
    with Reader(old) as reader:
        assert reader.findings("r1") == tuple(FINDINGS)
        assert reader.events("r1") == tuple(EVENTS)
        assert reader.run("r1").cost == Cost(calls=3, tokens=7, seconds=0.5)
        for table, rows in expected.items():
            assert reader.rows(f"SELECT * FROM {table}") == rows
    assert [row["stands"] for row in expected["overview"]] == [0, 1, 1, 1]


def test_an_older_file_is_gone_on_with(old):
    with Store(old) as store:
        store.resumed("r1", pid=os.getpid())
        store.hear(event_of("more", kind="tool", place=9, cost=Cost(calls=1)))
        store.put(finding_of(118, key="third", at=NOON + timedelta(hours=2)))
        assert store.run("r1").cost.calls == 4
        assert same(store, "units", "unit_sums")
        assert same(store, "overview", "overview_rows")


def test_totals_are_those_of_the_events_whatever_happens_to_them(store):
    """Events are replaced, and steps that broke off are taken back."""
    rng = random.Random(0)
    for n in range(120):
        unit, step = rng.choice(("run", "0/1", "0/2")), rng.randrange(3)
        if rng.random() < 0.15:
            store.begin_step("r1", unit, step)
            continue
        store.hear(
            event_of(
                unit=unit, step=step, place=rng.randrange(4),
                kind=rng.choice(("tool", "failure", "finding", "note")),
                cost=Cost(calls=rng.randrange(5), seconds=rng.randrange(8) / 8),
                at=NOON + timedelta(seconds=rng.randrange(-99, 99) + n),
            )
        )  # fmt: skip
        assert same(store, "units", "unit_sums")
    assert len(store.rows("SELECT * FROM units")) == 3


def test_an_event_is_counted_once_whatever_a_connection_does_with_triggers(store, runs):
    """SQLite's own default, unlike ours, fires no trigger for what a replacement removes."""
    store.hear(event_of(kind="tool", cost=Cost(calls=2)))
    with closing(sqlite3.connect(runs / "findings.db")) as plain, plain:
        plain.execute("INSERT OR REPLACE INTO events SELECT * FROM events")
    assert same(store, "units", "unit_sums")
    assert store.run("r1").cost.calls == 2


def test_one_finding_stands_for_a_feature_in_whatever_order_they_come(store):
    for hours in (5, 1, 9, 9, 3):
        store.put(finding_of(key=f"{hours} {random.random()}", at=NOON + timedelta(hours=hours)))
        assert same(store, "overview", "overview_rows")
        assert len(store.rows("SELECT 1 FROM overview WHERE stands")) == 1


def test_a_finding_is_met_by_the_beginning_of_its_id_alone(store):
    """Not by what sorts beside it, nor by what a pattern would match."""
    name = store.put(finding_of())
    assert store.finding(name[:5]).id == name
    for odd in ("%", "_", name[:4] + "%", name + "0", "\U0010ffff", ""):
        with pytest.raises(UserError, match=r"There is no finding|begins 1 findings"):
            store.finding(odd)
