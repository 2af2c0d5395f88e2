"""A behaviour's finding as its page shows it: what was tried, what the recipe and its controls did.

Knows findings and charts; nothing of addresses or templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agent.findings import BehaviourFinding, Counts
from review.charts import IntervalPlot, Scale, Setting, Sweep, interval_plot, sweep
from review.words import figure


class CountLine(NamedTuple):
    """How answers changed, with the shares to draw."""

    counts: Counts
    better: float
    """The share of all answers."""
    worse: float


class BehaviourView(NamedTuple):
    """What is drawn of a finding."""

    reproduced: IntervalPlot | None
    settings: tuple[Setting, ...]
    sweep: Sweep | None
    sealed: tuple[CountLine, ...]
    side_effects: tuple[CountLine, ...]


def view(finding: BehaviourFinding) -> BehaviourView:
    """Its charts."""
    settings = tuple(map(_setting, finding.tried))
    one = finding.reproduced
    return BehaviourView(
        interval_plot(one.value, one.low, one.high, Scale(0.0, 1.0)) if one else None,
        settings,
        sweep(settings),
        counted(finding.sealed),
        counted(finding.side_effects),
    )


def counted(found: Sequence[Counts]) -> tuple[CountLine, ...]:
    """Counts as shares of the answers that were asked for."""
    return tuple(
        CountLine(one, one.better / max(1, one.n), one.worse / max(1, one.n)) for one in found
    )


def _setting(tried: Mapping[str, Any]) -> Setting:
    return Setting(
        told=", ".join(map(_told, tried.get("interventions", ()))) or "nothing",
        removed=float(tried.get("removed", 0.0)),
        harm=float(tried.get("harm", 0.0)),
        questions=int(tried.get("questions", 0)),
    )


def _told(one: Mapping[str, Any]) -> str:
    value = one.get("value")
    strength = f" {figure(float(value))}" if value is not None else ""
    return f"{one.get('kind')} {one.get('feature')}{strength} at the {one.get('where')}"
