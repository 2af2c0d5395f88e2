"""The list of runs, with what each came to.

Costs come from what the store keeps added up, so no events are read. Knows queries; nothing of
pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agent.approval import Asked, waiting
from agent.findings import Cost
from agent.store import Reader
from review.queries.paging import Page, contains, key_of, mark

STATUSES = ("running", "interrupted", "paused", "done", "failed", "aborted")
"""What runs can be; an interrupted one is said to be running, but nobody works on it."""


class RunLine(NamedTuple):
    """One run of the list."""

    id: str
    question: str
    status: str
    """One of STATUSES."""
    began: datetime
    ended: datetime | None
    seconds: float | None
    """By the clock, until now for one that is running; None: nobody knows when it stopped."""
    units: int
    events: int
    failures: int
    findings: int
    cost: Cost
    asks: Asked | None
    """What somebody has to approve or refuse before it goes on."""


class Wanted(NamedTuple):
    """Which runs to list."""

    status: str | None = None
    """One of STATUSES."""
    words: str = ""
    """What the question, the answer or the id contains."""


def page(
    reader: Reader, wanted: Wanted | None = None, *, after: str | None = None, size: int = 50
) -> Page[RunLine]:
    """Some runs, the latest first; `after` is the mark of the page before."""
    live = alive(reader)
    conditions, values = _filtered(wanted or Wanted(), live)
    if after is not None:
        conditions.append("(r.began, r.id) < (?, ?)")
        values += key_of(after, str, str)
    chosen = reader.rows(
        f"SELECT r.id FROM runs AS r WHERE {' AND '.join(conditions) or '1'} "
        "ORDER BY r.began DESC, r.id DESC LIMIT ?",
        (*values, size + 1),
    )
    lines = _lines(reader, [row["id"] for row in chosen[:size]], live)
    last = lines[-1] if len(chosen) > size else None
    return Page(lines, mark(_stamp(reader, last.id), last.id) if last else None)


def line(reader: Reader, run: str) -> RunLine | None:
    """One run by its whole id."""
    found = _lines(reader, [run], alive(reader))
    return found[0] if found else None


def tallies(reader: Reader) -> dict[str, int]:
    """How many runs are what, by STATUSES; those that there are none of too."""
    rows = reader.rows("SELECT status, count(*) AS n FROM runs GROUP BY status")
    found = dict.fromkeys(STATUSES, 0) | {row["status"]: row["n"] for row in rows}
    live = len(alive(reader))
    return found | {"running": live, "interrupted": found["running"] - live}


def alive(reader: Reader) -> tuple[str, ...]:
    """The ids of the runs that some process works on."""
    return tuple(one.id for one in reader.live())


def _filtered(wanted: Wanted, live: tuple[str, ...]) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.status in ("running", "interrupted"):
        among = "IN" if wanted.status == "running" else "NOT IN"
        conditions.append(f"r.status = 'running' AND r.id {among} ({_marks(live)})")
        values += live
    elif wanted.status is not None:
        conditions.append("r.status = ?")
        values.append(wanted.status)
    if words := wanted.words.strip():
        fields = ("r.question", "r.id", "r.answer")
        conditions.append("(" + " OR ".join(f"{one} LIKE ? ESCAPE '!'" for one in fields) + ")")
        values += [contains(words)] * len(fields)
    return conditions, values


def _lines(reader: Reader, ids: list[str], live: tuple[str, ...]) -> tuple[RunLine, ...]:
    rows = reader.rows(
        f"""SELECT r.id, r.question, r.status, r.began, r.ended, count(u.unit) AS units,
          coalesce(sum(u.events), 0) AS events, coalesce(sum(u.failures), 0) AS failures,
          (SELECT count(*) FROM findings WHERE run = r.id) AS findings,
          coalesce(sum(u.calls), 0) AS calls, coalesce(sum(u.cached), 0) AS cached,
          coalesce(sum(u.tokens), 0) AS tokens, coalesce(sum(u.seconds), 0) AS seconds,
          coalesce(sum(u.money), 0) AS money
        FROM runs AS r LEFT JOIN units AS u ON u.run = r.id
        WHERE r.id IN ({_marks(ids)}) GROUP BY r.id ORDER BY r.began DESC, r.id DESC""",
        ids,
    )
    unfinished = [row["id"] for row in rows if row["status"] not in ("done", "aborted")]
    asking = waiting(reader, unfinished) if unfinished else {}
    return tuple(_line(row, row["id"] in live, asking.get(row["id"])) for row in rows)


def _line(row: Mapping[str, Any], live: bool, asks: Asked | None) -> RunLine:
    began = datetime.fromisoformat(row["began"])
    ended = datetime.fromisoformat(row["ended"]) if row["ended"] else None
    until = datetime.now(UTC) if live else ended
    status = "interrupted" if row["status"] == "running" and not live else row["status"]
    return RunLine(
        id=row["id"],
        question=row["question"],
        status=status,
        began=began,
        ended=ended,
        seconds=(until - began).total_seconds() if until else None,
        cost=cost_of(row),
        asks=asks,
        **{name: row[name] for name in ("units", "events", "failures", "findings")},
    )


def cost_of(row: Mapping[str, Any]) -> Cost:
    """What a row's columns of these names add up to."""
    return Cost(**{name: row[name] for name in Cost.model_fields})


def _stamp(reader: Reader, run: str) -> str:
    """When a run began, as it is written."""
    return reader.rows("SELECT began FROM runs WHERE id = ?", (run,))[0]["began"]


def _marks(values: tuple[str, ...] | list[str]) -> str:
    return ", ".join("?" * len(values))
