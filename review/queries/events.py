"""What happened in a run, from the whole to the single event: units, their steps, their events.

A batch has thousands of units, so each level is asked for when it is opened. Knows queries;
nothing of pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from agent.events import Event
from agent.findings import Cost
from agent.store import Reader
from agent.store.rows import call_of, event_of
from agent.transcript import Call
from review.queries.paging import Page, contains, key_of, mark
from review.queries.runs import cost_of

MOST_READ = 15_000
"""How many events one search reads before it answers with what it has."""
_SPENT = "e.kind IN ('tool', 'failure', 'plan', 'note')"
"""Other events tell what these came to, and would count twice."""
_SEARCHED = ("text", "tool", "arguments", "result")


class UnitLine(NamedTuple):
    """A part of a run: the run itself, a task of it, or a feature in a task."""

    unit: str
    """`run`, `0`, `0/118`."""
    began: datetime
    latest: datetime
    """When it was last heard of."""
    events: int
    failures: int
    cost: Cost
    finding: str | None
    """What a feature's unit came to, with the next two."""
    status: str | None
    label: str | None


class StepLine(NamedTuple):
    """A step of a unit."""

    step: int
    who: str
    """The node that took it."""
    began: datetime
    latest: datetime
    events: int
    failures: int
    cost: Cost
    asked: int
    """How many calls of models are recorded for it."""


class CallLine(NamedTuple):
    """A call of a model, without what was said."""

    number: int
    role: str
    model: str
    failed: bool
    at: datetime
    cost: Cost


class Tail(NamedTuple):
    """What came in after a mark."""

    events: tuple[Event, ...]
    mark: str
    """For the next time; the same one if nothing came in."""


class Found(NamedTuple):
    """Events with some words."""

    events: tuple[Event, ...]
    after: str | None
    """Where to go on; None: all were looked at."""


def units(reader: Reader, run: str, *, after: str | None = None, size: int = 100) -> Page[UnitLine]:
    """Some units of a run in the order in which they began."""
    conditions = "u.run = ?"
    values: list[Any] = [run]
    if after is not None:
        conditions += " AND (u.began, u.unit) > (?, ?)"
        values += key_of(after, str, str)
    rows = reader.rows(
        f"SELECT u.* FROM units AS u WHERE {conditions} ORDER BY u.began, u.unit LIMIT ?",
        (*values, size + 1),
    )
    shown = rows[:size]
    found = _findings(reader, run, [row["unit"] for row in shown])
    last = shown[-1] if len(rows) > size else None
    return Page(
        tuple(_unit(row, found.get(_feature(row["unit"]))) for row in shown),
        mark(last["began"], last["unit"]) if last else None,
    )


def unit(reader: Reader, run: str, name: str) -> UnitLine | None:
    """One unit of a run."""
    rows = reader.rows("SELECT * FROM units WHERE run = ? AND unit = ?", (run, name))
    found = _findings(reader, run, [name])
    return _unit(rows[0], found.get(_feature(name))) if rows else None


def steps(reader: Reader, run: str, unit: str) -> tuple[StepLine, ...]:
    """The steps of a unit, in order."""
    sums = ", ".join(f"sum(iif({_SPENT}, e.{name}, 0)) AS {name}" for name in Cost.model_fields)
    rows = reader.rows(
        f"""SELECT e.step, min(e.who) AS who, min(e.at) AS began, max(e.at) AS latest,
          count(*) AS events, sum(e.kind = 'failure') AS failures, {sums},
          (SELECT count(*) FROM calls AS c
           WHERE c.run = e.run AND c.unit = e.unit AND c.step = e.step) AS asked
        FROM events AS e WHERE e.run = ? AND e.unit = ? GROUP BY e.step ORDER BY e.step""",
        (run, unit),
    )
    return tuple(
        StepLine(
            **{name: row[name] for name in ("step", "who", "events", "failures", "asked")},
            began=datetime.fromisoformat(row["began"]),
            latest=datetime.fromisoformat(row["latest"]),
            cost=cost_of(row),
        )
        for row in rows
    )


def events(reader: Reader, run: str, unit: str, step: int | None = None) -> tuple[Event, ...]:
    """The events of a step, or of all steps of a unit, in order."""
    rows = reader.rows(
        "SELECT * FROM events WHERE run = ? AND unit = ? AND (? IS NULL OR step = ?) "
        "ORDER BY step, place",
        (run, unit, step, step),
    )
    return tuple(event_of(row) for row in rows)


def calls(reader: Reader, run: str, unit: str, step: int) -> tuple[CallLine, ...]:
    """The calls of models in a step, in order."""
    rows = reader.rows(
        f"""SELECT id AS number, role, model, failure IS NOT NULL AS failed, at,
          {", ".join(Cost.model_fields)}
        FROM calls WHERE run = ? AND unit = ? AND step = ? ORDER BY id""",
        (run, unit, step),
    )
    return tuple(
        CallLine(
            number=row["number"],
            role=row["role"],
            model=row["model"],
            failed=bool(row["failed"]),
            at=datetime.fromisoformat(row["at"]),
            cost=cost_of(row),
        )
        for row in rows
    )


def call(reader: Reader, run: str, number: int) -> Call | None:
    """One call of a run, word for word."""
    rows = reader.rows("SELECT * FROM calls WHERE id = ? AND run = ?", (number, run))
    return call_of(rows[0]) if rows else None


def tail(reader: Reader, run: str, after: str | None = None, *, most: int = 200) -> Tail:
    """What came in after a mark, in order; without one, what came in last, to begin with.

    Marks are times: a step that is done again writes its events later, whatever they replace.
    """
    if after is None:
        return Tail((), mark(*_latest(reader, run)))
    at, number = key_of(after, str, int)
    rows = reader.rows(
        # Units first, as CROSS keeps them: the planner would read all events of the run.
        """SELECT e.rowid AS number, e.* FROM units AS u
        CROSS JOIN events AS e ON e.run = u.run AND e.unit = u.unit
        WHERE u.run = ? AND u.latest >= ? AND (e.at, e.rowid) > (?, ?)
        ORDER BY e.at, e.rowid LIMIT ?""",
        (run, at, at, number, most),
    )
    if not rows:
        return Tail((), after)
    return Tail(tuple(map(_event, rows)), mark(rows[-1]["at"], rows[-1]["number"]))


def search(
    reader: Reader, run: str, words: str, *, after: str | None = None, size: int = 50
) -> Found:
    """Events of a run that contain some words: in their text, tool, arguments or result.

    It reads so many events at most, then says where to go on, so that it answers at once.
    """
    begin = key_of(after, str, int, int) if after is not None else ("", -1, -1)
    within = "run = ? AND (unit, step, place) > (?, ?, ?)"
    order = "ORDER BY unit, step, place"
    # Only keys are read up to here, which are all in one index.
    ends = reader.rows(
        f"SELECT unit, step, place FROM events WHERE {within} {order} LIMIT 1 OFFSET ?",
        (run, *begin, MOST_READ),
    )
    last = "AND (unit, step, place) <= (?, ?, ?)" if ends else ""
    has = " OR ".join(f"{one} LIKE ? ESCAPE '!'" for one in _SEARCHED)
    rows = reader.rows(
        f"SELECT * FROM events WHERE {within} {last} AND ({has}) {order} LIMIT ?",
        (run, *begin, *[value for end in ends for value in end.values()],
         *[contains(words.strip())] * len(_SEARCHED), size + 1),
    )  # fmt: skip
    shown = tuple(map(event_of, rows[:size]))
    if len(rows) > size:
        return Found(shown, mark(shown[-1].unit, shown[-1].step, shown[-1].place))
    return Found(shown, mark(*ends[0].values()) if ends else None)


def _event(row: Mapping[str, Any]) -> Event:
    return event_of({name: value for name, value in row.items() if name != "number"})


def _latest(reader: Reader, run: str) -> tuple[str, int]:
    """When a run was last heard of, and the row of that event."""
    # In two steps: in one, the events of all units would be joined before the last one is known.
    units = reader.rows(
        "SELECT unit, latest FROM units WHERE run = ? "
        "AND latest = (SELECT max(latest) FROM units WHERE run = ?)",
        (run, run),
    )
    if not units:
        return "", 0
    at, names = units[0]["latest"], [row["unit"] for row in units]
    rows = reader.rows(
        "SELECT max(rowid) AS number FROM events "
        f"WHERE run = ? AND unit IN ({', '.join('?' * len(names))}) AND at = ?",
        (run, *names, at),
    )
    return at, rows[0]["number"] or 0


def _findings(reader: Reader, run: str, names: list[str]) -> dict[int | None, Mapping[str, Any]]:
    """What a run found out about the features of some units."""
    features = [one for one in map(_feature, names) if one is not None]
    rows = reader.rows(
        "SELECT feature, finding, status, label FROM overview "
        f"WHERE run = ? AND feature IN ({', '.join('?' * len(features))})",
        (run, *features),
    )
    return {row["feature"]: row for row in rows}


def _feature(unit: str) -> int | None:
    """The feature that a unit such as `0/118` is about."""
    task, _, name = unit.rpartition("/")
    return int(name) if task and name.isdecimal() else None


def _unit(row: Mapping[str, Any], found: Mapping[str, Any] | None) -> UnitLine:
    return UnitLine(
        **{name: row[name] for name in ("unit", "events", "failures")},
        began=datetime.fromisoformat(row["began"]),
        latest=datetime.fromisoformat(row["latest"]),
        cost=cost_of(row),
        finding=found["finding"] if found else None,
        status=found["status"] if found else None,
        label=found["label"] if found else None,
    )
