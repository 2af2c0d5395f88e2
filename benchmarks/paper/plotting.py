"""Where the marks of a dot-and-interval chart lie, in pixels of its panels.

Knows numbers and positions; drawing is `benchmarks.paper.chart`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal["ours", "strict", "null", "strict null", "people"]
STEPS = (1, 2, 2.5, 5, 10)
TICKS = 5
"""About so many lines of the grid."""
NEAR_ZERO = 0.4
"""An axis begins at zero where its least number is below this share of its largest."""


class Spot(NamedTuple):
    """A number and the ends of its interval."""

    value: float
    low: float
    high: float


class Line(NamedTuple):
    """A series: a spot for each row, or none."""

    name: str
    kind: Kind
    hollow: bool
    spots: tuple[Spot | None, ...]


class Panel(NamedTuple):
    """One axis, with rows below each other."""

    title: str
    rows: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def lanes(self) -> tuple[int, ...]:
        """On which of a row's lines each series lies: what the paper says, on ours."""
        lane, lanes = -1, []
        for line in self.lines:
            lane += not line.hollow or lane < 0
            lanes.append(lane)
        return tuple(lanes)


class Axis(NamedTuple):
    """Round numbers along a panel."""

    ticks: tuple[float, ...]
    digits: int

    def at(self, value: float) -> float:
        """Where a number lies, 0 to 1."""
        low, high = self.ticks[0], self.ticks[-1]
        return (value - low) / (high - low)

    def told(self, tick: float) -> str:
        """A tick's label."""
        return f"{tick:.{self.digits}f}"


def axis(lines: Sequence[Line]) -> Axis:
    """Round ticks around everything that is drawn."""
    spots = [spot for line in lines for spot in line.spots if spot is not None]
    low = min((spot.low for spot in spots), default=0.0)
    high = max((spot.high for spot in spots), default=1.0)
    if 0 <= low < NEAR_ZERO * high:
        low = 0.0
    step = _step((high - low) or abs(high) or 1.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    digits = next(d for d in range(9) if math.isclose(round(step, d), step, rel_tol=1e-9))
    return Axis(tuple(step * place for place in range(first, last + 1)), digits)


def _step(length: float) -> float:
    least = length / TICKS
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(step for step in STEPS if step * power >= least * (1 - 1e-9))
