"""A batch in rows: what is kept of each finding, and the table of all.

A row is small, as a batch may have a million. Knows documents; adds nothing to what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.findings import FeatureFinding, Status
from agent.verification import chance_of
from sae_core.scoring.estimate import Score


class Column(NamedTuple):
    """A mean over features: of a score, or of what one of its nulls comes to."""

    name: str
    measure: str
    null: str | None = None

    def of(self, scores: dict[str, Score]) -> float | None:
        """One feature's value, if it was measured."""
        if (score := scores.get(self.measure)) is None:
            return None
        if self.null is None:
            return score.value
        return next((one.value for one in score.nulls if one.name == self.null), None)


COLUMNS = (
    Column("IoU", "iou_strict"),
    Column("moved masks", "iou_strict", "moved_masks"),
    Column("CLIP-score", "clip_strict"),
    Column("random", "clip_strict", "random_pictures"),
    Column("AUROC", "auroc"),
    Column("judge agrees", "consistency"),
)


class Row(NamedTuple):
    """What is kept of a finding."""

    finding: str
    feature: int
    status: Status
    category: str
    chance: float | None
    """The p of its sealed verification; None if there was none."""
    cells: tuple[float | None, ...]


def row_of(finding: FeatureFinding) -> Row:
    """A finding's row."""
    tested = finding.verification
    scores = tested.scores if tested else {}
    return Row(
        finding.id,
        finding.feature,
        finding.status,
        finding.category or "none",
        chance_of(tested) if tested else None,
        tuple(column.of(scores) for column in COLUMNS),
    )


def table(rows: Sequence[Row]) -> str:
    """Scores by class of concept, in the manner of the paper's first table."""
    names = ("class", "features", "supported", *(one.name for one in COLUMNS))
    lines = [_line(names), "|---" * len(names) + "|"]
    for category in sorted({one.category for one in rows}):
        lines.append(_line(_means(category, [one for one in rows if one.category == category])))
    return "\n".join([*lines, _line(_means("all", rows))])


def _means(name: str, rows: Sequence[Row]) -> Sequence[str]:
    supported = sum(one.status == "supported" for one in rows)
    columns = [[cell for cell in cells if cell is not None] for cells in _turned(rows)]
    means = (f"{sum(known) / len(known):.2f}" if known else "" for known in columns)
    return name, str(len(rows)), str(supported), *means


def _turned(rows: Sequence[Row]) -> list[list[float | None]]:
    return [[one.cells[place] for one in rows] for place in range(len(COLUMNS))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
