"""What exports read, bit by bit: a store may hold more than fits into memory.

Knows the store's tables; nothing of formats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agent.events import Event
from agent.findings import Cost, Finding
from agent.store import Reader
from agent.store.rows import call_of, event_of
from agent.transcript import Call


class Part(NamedTuple):
    """What happened in one unit of a run, and what models were asked for it."""

    unit: str
    events: tuple[Event, ...]
    calls: tuple[Call, ...]


class Step(NamedTuple):
    """What one node did: what happened, and what it asked models."""

    number: int
    who: str
    events: list[Event]
    calls: list[Call]

    @property
    def cost(self) -> Cost:
        """What it took; what tells of other events counts nothing."""
        cost = Cost()
        for event in self.events:
            if event.kind in ("tool", "failure", "plan", "note"):
                cost = cost.plus(event.cost)
        return cost


def each_finding(
    store: Reader, *, status: str | None = None, run: str | None = None
) -> Iterator[Finding]:
    """Findings by coder and feature; of each feature the latest, or all that a run came to."""
    chosen = store.rows(
        """SELECT f.id FROM findings AS f
        WHERE (? IS NULL OR f.status = ?)
          AND CASE WHEN ? IS NOT NULL THEN f.run = ? ELSE f.feature IS NULL OR f.id = (
            SELECT id FROM findings WHERE coder = f.coder AND feature = f.feature
            ORDER BY at DESC, rowid DESC LIMIT 1) END
        ORDER BY f.coder, f.feature, f.at, f.rowid""",
        (status, status, run, run),
    )
    for row in chosen:
        yield store.finding(row["id"])


def units_of(store: Reader, run: str) -> list[str]:
    """The units of a run: the run itself, then its tasks and their features."""
    rows = store.rows(
        "SELECT unit FROM events WHERE run = ? UNION SELECT unit FROM calls WHERE run = ?",
        (run, run),
    )
    return sorted((row["unit"] for row in rows), key=_in_order)


def each_part(store: Reader, run: str) -> Iterator[Part]:
    """The units of a run with all that happened in them."""
    for unit in units_of(store, run):
        asked = "FROM {} WHERE run = ? AND unit = ? ORDER BY {}"
        events = store.rows(f"SELECT * {asked.format('events', 'step, place')}", (run, unit))
        calls = store.rows(f"SELECT * {asked.format('calls', 'id')}", (run, unit))
        yield Part(unit, tuple(map(event_of, events)), tuple(map(call_of, calls)))


def steps_of(part: Part) -> list[Step]:
    """The steps of a unit, in order."""
    made: dict[int, Step] = {}
    for event in part.events:
        made.setdefault(event.step, Step(event.step, event.who, [], [])).events.append(event)
    for call in part.calls:
        made.setdefault(call.step, Step(call.step, call.role, [], [])).calls.append(call)
    return [made[number] for number in sorted(made)]


def _in_order(unit: str) -> tuple[tuple[int, int | str], ...]:
    """By number where there are numbers: `run` first, 0/9 before 0/10."""
    if unit == "run":
        return ()
    return tuple((0, int(one)) if one.isdigit() else (1, one) for one in unit.split("/"))
