"""Where things lie in a chart: intervals beside their nulls, histograms, what a sweep came to.

Knows numbers and positions in SVG units; drawing is the template's (`charts.html`), colours are the
sheet's. Each chart says in words what it shows, for whoever does not see it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from review.hands import Bar
from review.words import figure

WIDTH, TALL = 200.0, 120.0
"""Of an interval's axis; of a histogram."""
LONG = 640.0
"""How long a histogram is."""
FINER = 2
"""So many bars for each power of two."""


class Scale(NamedTuple):
    """A stretch of numbers along a line."""

    low: float
    high: float
    length: float = WIDTH

    def at(self, value: float) -> float:
        """Where a number lies; what is beyond an end lies at that end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return round(min(1.0, max(0.0, share)) * self.length, 1)


class Beside(NamedTuple):
    """What a value is compared with: a null, chance, a bar."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


class Span(NamedTuple):
    """A value with its interval, as positions."""

    at: float
    low: float
    high: float


class IntervalPlot(NamedTuple):
    """A value with its interval, and what it has to be above."""

    own: Span
    others: tuple[Span, ...]
    needed: float | None
    """Where the bar is."""
    zero: float | None
    """Where zero is, if it is inside."""
    says: str


def scale_of(values: Iterable[float], least: float = 0.0, most: float = 1.0) -> Scale:
    """From the least to the most, and as far beyond as values go."""
    known = list(values)
    return Scale(min([least, *known]), max([most, *known]))


def interval_plot(
    value: float,
    low: float,
    high: float,
    scale: Scale,
    *,
    beside: Sequence[Beside] = (),
    bar: float | None = None,
) -> IntervalPlot:
    """A value's interval on a scale that others share."""
    said = [f"{figure(value)}, from {figure(low)} to {figure(high)}"]
    said += [f"{one.name} {figure(one.value)}" for one in beside]
    said += [f"needed: above {figure(bar)}"] if bar is not None else []
    return IntervalPlot(
        Span(scale.at(value), scale.at(low), scale.at(high)),
        tuple(
            Span(
                scale.at(one.value),
                scale.at(one.value if one.low is None else one.low),
                scale.at(one.value if one.high is None else one.high),
            )
            for one in beside
        ),
        None if bar is None else scale.at(bar),
        scale.at(0.0) if scale.low < 0 < scale.high else None,
        "; ".join(said),
    )


class Column(NamedTuple):
    """A bar of a histogram."""

    x: float
    width: float
    height: float
    says: str


class Tick(NamedTuple):
    """A place on an axis."""

    x: float
    name: str


class Histogram(NamedTuple):
    """How many activations are how strong; each power of two is as wide as any other."""

    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    level: Tick | None
    """From where on it counts as firing, where not all of it does."""
    says: str


def bars_of(values: Iterable[float]) -> tuple[Bar, ...]:
    """Activations counted in as fine steps as an index has."""
    steps = Counter(math.floor(math.log2(value) * FINER) for value in values if value > 0)
    if not steps:
        return ()
    return tuple(
        Bar(2 ** (step / FINER), 2 ** ((step + 1) / FINER), steps[step])
        for step in range(min(steps), max(steps) + 1)
    )


def histogram(bars: Sequence[Bar], level: float = 0.0) -> Histogram | None:
    """The bars from the first to the last that holds anything; None where none does."""
    full = [place for place, bar in enumerate(bars) if bar.count]
    if not full:
        return None
    shown = bars[full[0] : full[-1] + 1]
    most, total = max(bar.count for bar in shown), sum(bar.count for bar in shown)
    scale = Scale(math.log2(shown[0].low), math.log2(shown[-1].high), LONG)
    starts = [scale.at(math.log2(bar.low)) for bar in shown]
    ends = [scale.at(math.log2(bar.high)) for bar in shown]
    return Histogram(
        tuple(
            Column(
                x, round(end - x, 1), round(TALL * bar.count / most, 1),
                f"{bar.count:,} from {figure(bar.low)} to {figure(bar.high)}",
            )
            for bar, x, end in zip(shown, starts, ends, strict=True)
        ),
        tuple(_ticks(scale)),
        Tick(scale.at(math.log2(level)), figure(level)) if level > 0 else None,
        f"{total:,} activations from {figure(shown[0].low)} to {figure(shown[-1].high)}; "
        f"most of them at {figure(max(shown, key=lambda bar: bar.count).low)}",
    )  # fmt: skip


def _ticks(scale: Scale) -> Iterable[Tick]:
    """Some powers of two, few enough to be read."""
    first, last = math.ceil(scale.low), math.floor(scale.high)
    step = max(1, math.ceil((last - first + 1) / 8))
    for power in range(first, last + 1, step):
        yield Tick(scale.at(power), figure(2.0**power))


class Dot(NamedTuple):
    """A setting of a sweep."""

    x: float
    y: float
    says: str


class Sweep(NamedTuple):
    """What each setting mends, upwards, and what it harms, to the right."""

    dots: tuple[Dot, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    says: str


class Setting(NamedTuple):
    """Interventions that were tried, and what they did."""

    told: str
    removed: float
    harm: float
    questions: int


def sweep(settings: Sequence[Setting]) -> Sweep | None:
    """All settings of a sweep; None where there were none."""
    if not settings:
        return None
    harm = Scale(0.0, max(0.02, *(one.harm for one in settings)), LONG / 2)
    mended = Scale(0.0, max(0.2, *(one.removed for one in settings)), TALL)
    best = max(settings, key=lambda one: one.removed - 10 * one.harm)
    return Sweep(
        tuple(
            Dot(
                harm.at(one.harm), TALL - mended.at(one.removed),
                f"{one.told}: {one.removed:.0%} mended, {one.harm:.1%} lost",
            )
            for one in settings
        ),
        tuple(Tick(harm.at(x), f"{x:.1%}") for x in _halves(harm)),
        tuple(Tick(TALL - mended.at(y), f"{y:.0%}") for y in _halves(mended)),
        f"{len(settings)} settings: the most mended is "
        f"{max(one.removed for one in settings):.0%}; of little harm is {best.told}",
    )  # fmt: skip


def _halves(scale: Scale) -> tuple[float, ...]:
    return scale.low, (scale.low + scale.high) / 2, scale.high
