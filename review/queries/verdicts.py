"""The queue of findings to be judged, and what people said so far.

A reviewer's latest verdict on a finding counts; earlier ones stay. Knows queries; nothing of pages.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from agent.store import Reader
from review.queries.findings import Wanted, chosen
from review.queries.paging import key_of, mark

_PRIME = 2**31 - 1
# What is judged is a label, and whether it says what makes a feature fire.
_LABELLED = "o.kind = 'feature' AND o.label IS NOT NULL"
_MINE = "SELECT finding FROM verdicts WHERE reviewer = ?"
LATEST = "SELECT finding, reviewer, score, tags, note, at, max(id) AS id FROM verdicts"
"""To be grouped by finding and reviewer: SQLite takes the columns from the greatest id's row."""


class Next(NamedTuple):
    """What a reviewer has to judge next."""

    finding: str
    mark: str
    """Where to go on without judging it."""


class Progress(NamedTuple):
    """How far a reviewer is."""

    judged: int
    total: int


class Rating(NamedTuple):
    """What a reviewer said of a finding last."""

    finding: str
    reviewer: str
    score: int


class Judged(NamedTuple):
    """A finding that a reviewer has judged."""

    finding: str
    feature: int
    label: str
    score: int
    at: str


class Disputed(NamedTuple):
    """A finding on which people disagree."""

    finding: str
    feature: int | None
    label: str | None
    verdicts: int
    least: int
    most: int


class Standing(NamedTuple):
    """What people say of findings that the agent says one thing of."""

    status: str
    findings: int
    verdicts: int
    mean: float


def following(
    reader: Reader, reviewer: str, wanted: Wanted, after: str | None = None
) -> Next | None:
    """What a reviewer judges next: what nobody judged before the rest, else in an order by chance.

    The order is the reviewer's own and stays the same, so that what each of them leaves undone is
    no choice of anybody. What they skip comes again when all else is done.
    """
    source, conditions, values = chosen(wanted)
    order = _by_chance(reviewer)
    key = f"(o.finding IN (SELECT finding FROM verdicts)), {order}, o.number"
    begin: list[Any] = []
    if after is not None:
        conditions += f" AND ({key}) > (?, ?, ?)"
        begin = [*key_of(after, int, int, int)]
    rows = reader.rows(
        f"SELECT o.finding, o.number, {order} AS chance, "
        "o.finding IN (SELECT finding FROM verdicts) AS known "
        f"FROM {source} WHERE {_LABELLED} AND o.finding NOT IN ({_MINE}) AND {conditions} "
        f"ORDER BY known, chance, o.number LIMIT 1",
        (reviewer, *values, *begin),
    )
    if not rows:
        return None
    row = rows[0]
    return Next(row["finding"], mark(row["known"], row["chance"], row["number"]))


def progress(reader: Reader, reviewer: str, wanted: Wanted) -> Progress:
    """How many of the wanted findings a reviewer has judged."""
    source, conditions, values = chosen(wanted)
    (row,) = reader.rows(
        f"SELECT count(*) AS total, coalesce(sum(o.finding IN ({_MINE})), 0) AS judged "
        f"FROM {source} WHERE {_LABELLED} AND {conditions}",
        (reviewer, *values),
    )
    return Progress(row["judged"], row["total"])


def latest(reader: Reader, reviewer: str, count: int) -> tuple[Judged, ...]:
    """What a reviewer judged last, the last first."""
    rows = reader.rows(
        f"""SELECT v.finding, o.feature, o.label, v.score, v.at
        FROM ({LATEST} WHERE reviewer = ? GROUP BY finding, reviewer) AS v
        JOIN overview AS o ON o.finding = v.finding WHERE o.feature IS NOT NULL
        ORDER BY v.id DESC LIMIT ?""",
        (reviewer, count),
    )
    return tuple(
        Judged(row["finding"], row["feature"], row["label"] or "", row["score"], row["at"])
        for row in rows
    )


def reviewers(reader: Reader) -> dict[str, int]:
    """Who has judged how many findings, the most first."""
    rows = reader.rows(
        "SELECT reviewer, count(DISTINCT finding) AS n FROM verdicts "
        "GROUP BY reviewer ORDER BY n DESC, reviewer"
    )
    return {row["reviewer"]: row["n"] for row in rows}


def ratings(reader: Reader) -> tuple[Rating, ...]:
    """What everybody said of everything last."""
    rows = reader.rows(f"{LATEST} GROUP BY finding, reviewer ORDER BY finding, reviewer")
    return tuple(Rating(row["finding"], row["reviewer"], row["score"]) for row in rows)


def standings(reader: Reader) -> tuple[Standing, ...]:
    """How people's verdicts go with what the agent says of the same findings."""
    rows = reader.rows(
        f"""SELECT o.status, count(DISTINCT v.finding) AS findings, count(*) AS verdicts,
          avg(v.score) AS mean
        FROM ({LATEST} GROUP BY finding, reviewer) AS v JOIN overview AS o ON o.finding = v.finding
        GROUP BY o.status ORDER BY mean DESC"""
    )
    return tuple(Standing(**row) for row in rows)


def disputed(reader: Reader, count: int) -> tuple[Disputed, ...]:
    """The findings on which people are furthest apart."""
    rows = reader.rows(
        f"""SELECT v.finding, o.feature, o.label, count(*) AS verdicts, min(v.score) AS least,
          max(v.score) AS most
        FROM ({LATEST} GROUP BY finding, reviewer) AS v JOIN overview AS o ON o.finding = v.finding
        GROUP BY v.finding HAVING least < most
        ORDER BY most - least DESC, verdicts DESC, v.finding LIMIT ?""",
        (count,),
    )
    return tuple(Disputed(**row) for row in rows)


def _by_chance(reviewer: str) -> str:
    """A number for each finding that looks like chance, other for each reviewer, as SQL."""
    seed = hashlib.sha256(reviewer.encode()).digest()
    times = int.from_bytes(seed[:8]) % (_PRIME - 1) + 1
    plus = int.from_bytes(seed[8:16]) % _PRIME
    one = f"((o.number * {times} + {plus}) % {_PRIME})"
    # Squared, since without that the distances between findings would be the same for everybody.
    return f"({one} * {one} % {_PRIME})"
