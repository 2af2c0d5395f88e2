"""The lines of the model card's table, and the bars that they have to meet.

Knows how a line is written down; nothing of how anything is measured.
"""

from __future__ import annotations

from pydantic import BaseModel

from toybox.measures import Estimate


class Row(BaseModel):
    """One line of the table: what was measured, the bar that it has to meet, and whether it did."""

    role: str
    measure: str
    bar: float | None
    """None where the measure is shown for information."""
    at_most: bool = False
    value: float
    low: float
    high: float
    n: int

    @property
    def passed(self) -> bool:
        """Does the value meet its bar."""
        if self.bar is None:
            return True
        return self.value <= self.bar if self.at_most else self.value >= self.bar


class Report(BaseModel):
    """All lines, and what they were measured on."""

    seed: int
    n: int
    rows: list[Row]

    @property
    def passed(self) -> bool:
        """Did every line meet its bar."""
        return all(row.passed for row in self.rows)


def row(
    role: str, measure: str, estimate: Estimate, bar: float | None = None, *, at_most: bool = False
) -> Row:
    """A line from an estimate."""
    return Row(role=role, measure=measure, bar=bar, at_most=at_most, **estimate._asdict())
