"""The table of findings: filtered, sorted, searched by words or by meaning.

All of it reads the store's narrow table of findings, which takes a moment however many there are;
documents are opened one by one. Knows queries; nothing of pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from agent.store import Reader
from agent.store.vectors import Near
from review.queries.paging import Page, key_of, mark

MEASURES = ("iou", "clip", "consistency", "balanced_accuracy", "auroc")
"""Of the claim, in strict mode."""
_END: dict[type, Any] = {int: 2**62, float: 1e308, str: chr(0x10FFFF)}
_BEGINNING: dict[type, Any] = {int: -1, float: -1e308, str: ""}
_NUMBERS: dict[str, tuple[str, type]] = {name: (f"o.{name}", float) for name in MEASURES}
_SORTED: dict[str, tuple[str, type]] = {
    "date": ("o.at", str),
    "feature": ("o.feature", int),
    "label": ("lower(o.label)", str),
    **_NUMBERS,
    "apart": ("o.apart", float),
    "fit": ("-w.rank", float),
}
_ALWAYS = (_SORTED["date"][0], _SORTED["fit"][0])
"""What no finding is without; an index serves such an order as it is."""
SORTS = tuple(_SORTED)
"""What findings are sorted by. `apart` is how far the scores disagree: the greatest skill less the
least, a skill being the share of the way from its null to perfect. `fit` is how well they fit the
words searched for; without words it is the date."""
# A label counts for more than what else is said of a feature.
_RANK = "rank MATCH 'bm25(0, 10, 3, 2, 1, 1)'"
_PIECE = re.compile(r'"([^"]*)"|([^\s"]+)')
_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 20


class Range(NamedTuple):
    """From the low to the high end, both included; None: open."""

    low: float | None = None
    high: float | None = None


class Wanted(NamedTuple):
    """Which findings to list."""

    status: str | None = None
    category: str | None = None
    kind: str | None = None
    """`feature` or `behaviour`."""
    coder: str | None = None
    run: str | None = None
    """All that a run found out, whatever was found out later."""
    earlier: bool = False
    """Also findings about a feature that a later one is about."""
    words: str = ""
    """All of them occur; the last may be the beginning of a word, "..." is a phrase."""
    tag: str | None = None
    """Something is the matter, as the agent said."""
    judged: bool | None = None
    """Somebody gave a verdict, or nobody did."""
    scores: Mapping[str, Range] = {}
    """By MEASURES, or `apart`."""


class FindingLine(NamedTuple):
    """One finding of the list."""

    finding: str
    kind: str
    feature: int | None
    coder: str
    run: str
    stands: bool
    """No later finding is about the same feature."""
    status: str
    label: str | None
    """Of a feature; or the behaviour."""
    category: str | None
    summary: str
    at: datetime
    scores: dict[str, float | None]
    """By MEASURES."""
    apart: float | None
    verdicts: int
    """How many people gave one."""
    opinion: float | None
    """The mean of their latest verdicts, 1 to 5."""


class Tallies(NamedTuple):
    """How many findings there are."""

    total: int
    """Of what is wanted."""
    statuses: dict[str, int]
    """Whatever status is wanted."""
    categories: dict[str, int]
    """Whatever category is wanted; those without one are under the empty name."""


class Meant(NamedTuple):
    """A finding whose label is near in meaning."""

    line: FindingLine
    likeness: float


def page(
    reader: Reader,
    wanted: Wanted | None = None,
    *,
    sort: str = "date",
    descending: bool = True,
    after: str | None = None,
    size: int = 50,
) -> Page[FindingLine]:
    """Some findings; those without what they are sorted by come last, ties in a fixed order."""
    by, kind = _SORTED[sort]
    wanted = wanted or Wanted()
    if sort == "fit" and not match_of(wanted.words):
        by, kind = _SORTED["date"]
    key, absent = by, []
    if by not in _ALWAYS:
        key, absent = f"coalesce({by}, ?)", [(_BEGINNING if descending else _END)[kind]]
    source, conditions, values = chosen(wanted)
    turn, way = ("<", "DESC") if descending else (">", "ASC")
    if after is not None:
        conditions += f" AND ({key}, o.number) {turn} (?, ?)"
        values += [*absent, *key_of(after, kind, int)]
    rows = reader.rows(
        f"SELECT o.number, {key} AS key FROM {source} WHERE {conditions} "
        f"ORDER BY key {way}, o.number {way} LIMIT ?",
        (*absent, *values, size + 1),
    )
    last = rows[size - 1] if len(rows) > size else None
    lines = _lines(reader, [row["number"] for row in rows[:size]])
    return Page(tuple(lines), mark(last["key"], last["number"]) if last else None)


def names(reader: Reader, wanted: Wanted) -> tuple[str, ...]:
    """The ids of all findings that fit, by coder and feature."""
    source, conditions, values = chosen(wanted)
    rows = reader.rows(
        f"SELECT o.finding FROM {source} WHERE {conditions} ORDER BY o.coder, o.feature, o.number",
        values,
    )
    return tuple(row["finding"] for row in rows)


def tallies(reader: Reader, wanted: Wanted | None = None) -> Tallies:
    """How many there are of each status and category, so that a filter tells what it leaves."""
    wanted = wanted or Wanted()
    source, conditions, values = chosen(wanted._replace(status=None, category=None), counted=True)
    rows = reader.rows(
        f"SELECT o.status, coalesce(o.category, '') AS category, count(*) AS n "
        f"FROM {source} WHERE {conditions} GROUP BY o.status, o.category",
        values,
    )
    statuses: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    total = 0
    for row in rows:
        of_status = wanted.status in (None, row["status"])
        of_category = wanted.category in (None, row["category"])
        statuses[row["status"]] += row["n"] * of_category
        categories[row["category"]] += row["n"] * of_status
        total += row["n"] * (of_status and of_category)
    return Tallies(total, dict(statuses.most_common()), dict(categories.most_common()))


def coders(reader: Reader) -> dict[str, int]:
    """Whose features were looked into, with how many findings there are of each."""
    rows = reader.rows("SELECT coder, count(*) AS n FROM overview GROUP BY coder ORDER BY n DESC")
    return {row["coder"]: row["n"] for row in rows}


def about(reader: Reader, coder: str, feature: int, most: int) -> tuple[FindingLine, ...]:
    """What was found out about a feature, the latest first."""
    rows = reader.rows(
        "SELECT number FROM overview WHERE coder = ? AND feature = ? "
        "ORDER BY at DESC, number DESC LIMIT ?",
        (coder, feature, most),
    )
    return tuple(_lines(reader, [row["number"] for row in rows]))


def tags(reader: Reader) -> dict[str, int]:
    """What is the matter with how many findings."""
    rows = reader.rows("SELECT tag, count(*) AS n FROM tags GROUP BY tag ORDER BY n DESC, tag")
    return {row["tag"]: row["n"] for row in rows}


def meant(
    reader: Reader, near: Sequence[Near], wanted: Wanted | None = None, *, size: int = 50
) -> tuple[Meant, ...]:
    """The findings with these labels, the nearest first; `near` is what `Vectors` has found."""
    likeness = {one.label: one.likeness for one in near}
    source, conditions, values = chosen((wanted or Wanted())._replace(words=""))
    rows = reader.rows(
        f"SELECT o.number, o.label FROM {source} WHERE {conditions} "
        f"AND o.label IN ({', '.join('?' * len(likeness))})",
        (*values, *likeness),
    )
    best = sorted(rows, key=lambda row: (-likeness[row["label"]], row["number"]))[:size]
    lines = _lines(reader, [row["number"] for row in best])
    return tuple(Meant(line, likeness[line.label or ""]) for line in lines)


def match_of(words: str) -> str:
    """What was typed, as SQLite's full-text search reads it; empty where there are no words.

    Whatever means something to that search, such as OR, * or brackets, is a word or nothing here.
    """
    asked: list[str] = []
    pieces = list(_PIECE.finditer(words))[:_MOST_WORDS]
    for piece in pieces:
        if piece[1] is not None:
            phrase = " ".join(_WORD.findall(piece[1]))
            asked += [f'"{phrase}"'] if phrase else []
        else:
            asked += [f'"{one}"' for one in _WORD.findall(piece[2])]
    begun = pieces and pieces[-1][1] is None and words[-1:].isalnum()
    return f"{' '.join(asked)}*" if begun and asked else " ".join(asked)


def chosen(wanted: Wanted, *, counted: bool = False) -> tuple[str, str, list[Any]]:
    """The tables, the condition and its values.

    SQLite is told where to begin: with the words, and with the index by status for counts alone.
    """
    source, conditions = "overview AS o", ["1"]
    values: list[Any] = []
    if match := match_of(wanted.words):
        source = "words AS w CROSS JOIN overview AS o ON o.number = w.rowid"
        conditions.append(f"w.words MATCH ? AND w.{_RANK}")
        values.append(match)
    elif wanted.words.strip():
        conditions.append("0")
    for name in ("status", "category", "kind", "coder", "run"):
        if (value := getattr(wanted, name)) is not None:
            conditions.append(f"coalesce(o.{name}, '') = ?")
            values.append(value)
    if not (wanted.earlier or wanted.run):
        conditions.append("o.stands = 1" if counted else "+o.stands = 1")
    if wanted.tag is not None:
        conditions.append("o.finding IN (SELECT finding FROM tags WHERE tag = ?)")
        values.append(wanted.tag)
    if wanted.judged is not None:
        turn = "" if wanted.judged else "NOT "
        conditions.append(f"o.finding {turn}IN (SELECT finding FROM verdicts)")
    for name, limits in wanted.scores.items():
        by, _ = {**_NUMBERS, "apart": _SORTED["apart"]}[name]
        for sign, limit in ((">=", limits.low), ("<=", limits.high)):
            if limit is not None:
                conditions.append(f"{by} {sign} ?")
                values.append(limit)
    return source, " AND ".join(conditions), values


def _lines(reader: Reader, numbers: list[int]) -> list[FindingLine]:
    """Some rows as they are shown, in this order."""
    rows = reader.rows(
        f"""SELECT o.*, f.summary,
          (SELECT count(DISTINCT reviewer) FROM verdicts WHERE finding = o.finding) AS verdicts,
          (SELECT avg(score) FROM (
            SELECT score, max(id) FROM verdicts WHERE finding = o.finding GROUP BY reviewer
          )) AS opinion
        FROM overview AS o JOIN findings AS f ON f.id = o.finding
        WHERE o.number IN ({", ".join("?" * len(numbers))})""",
        numbers,
    )
    by_number = {row["number"]: _line(row) for row in rows}
    return [by_number[number] for number in numbers]


def _line(row: Mapping[str, Any]) -> FindingLine:
    same = set(FindingLine._fields) - {"stands", "at", "scores"}
    return FindingLine(
        **{name: row[name] for name in same},
        stands=bool(row["stands"]),
        at=datetime.fromisoformat(row["at"]),
        scores={name: row[name] for name in MEASURES},
    )
