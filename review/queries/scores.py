"""What findings score, each value with its interval and the nulls that it has to beat.

Knows the rows of scores; nothing of how they are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agent.store import Reader

COLUMNS = {
    "iou_strict": "iou",
    "clip_strict": "clip",
    "consistency": "consistency",
    "balanced_accuracy": "balanced_accuracy",
    "auroc": "auroc",
}
"""The measures that lists have a column of, and what it is called."""


class NullMark(NamedTuple):
    """What a measurement gives when the label says nothing."""

    name: str
    value: float


class Scored(NamedTuple):
    """A value beside its nulls."""

    value: float
    low: float
    high: float
    n: int
    nulls: tuple[NullMark, ...]

    @property
    def beats(self) -> bool:
        """Whether even the low end is above every null."""
        return all(self.low > null.value for null in self.nulls)


Scores = dict[str, Scored]
"""By the names of columns."""


def of_claims(reader: Reader, findings: Iterable[str]) -> dict[str, Scores]:
    """What the claims of some findings score; nothing of those that were not verified."""
    names = list(findings)
    rows = reader.rows(
        f"""SELECT finding, measure, value, low, high, n, null_name, null_value FROM scores
        WHERE whose = 'claim' AND finding IN ({", ".join("?" * len(names))}) ORDER BY rowid""",
        names,
    )
    parts: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["measure"] in COLUMNS:
            parts[row["finding"], COLUMNS[row["measure"]]].append(row)
    found: dict[str, Scores] = {name: {} for name in names}
    for (finding, column), some in parts.items():
        found[finding][column] = _scored(some)
    return found


def _scored(rows: list[Mapping[str, Any]]) -> Scored:
    first = rows[0]
    nulls = (NullMark(row["null_name"], row["null_value"]) for row in rows if row["null_name"])
    return Scored(first["value"], first["low"], first["high"], first["n"], tuple(nulls))
