"""Which of the evidence's pictures an explainer is shown together.

Knows groups of sightings; nothing of pictures or prompts.
"""

from __future__ import annotations

from typing import NamedTuple

from tools.evidence import FIRING, Evidence, Group, Sighting
from tools.failures import WontWork

NEAREST_FIRST: tuple[Group, ...] = ("near", "neighbour", "random")
"""What is silent, though it looks like what fires, tells most."""


class Selection(NamedTuple):
    """What one question is about."""

    firing: tuple[Sighting, ...]
    silent: tuple[Sighting, ...] = ()

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """All, in the order in which they are shown."""
        return (*self.firing, *self.silent)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of their pictures."""
        return tuple(one.picture for one in self.sightings)


def strongest(evidence: Evidence, count: int) -> Selection:
    """The paper's: the first by mean; where there are fewer, others on which it fires."""
    by_quantile = sorted(evidence.of("quantile"), key=lambda one: -(one.quantile or 0))
    order = (*evidence.of("top_by_mean", "top_by_max"), *by_quantile)
    if not order:
        raise WontWork(
            f"The evidence of feature {evidence.feature} has no picture on which it fires: there "
            "is nothing to explain. Gather more with top_images, or choose another feature"
        )
    return Selection(order[:count])


def several(evidence: Evidence, count: int) -> tuple[Selection, ...]:
    """Different views of one feature: its strongest pictures, and those of each quantile."""
    first = strongest(evidence, count)
    quantiles = sorted({one.quantile or 0 for one in evidence.of("quantile")}, reverse=True)
    groups = [
        evidence.of("top_by_max"),
        *(tuple(one for one in evidence.of("quantile") if one.quantile == q) for q in quantiles),
        _spread(evidence),
    ]
    found = {frozenset(first.numbers): first}
    for selection in (Selection(group[:count]) for group in groups if group):
        found.setdefault(frozenset(selection.numbers), selection)
    return tuple(found.values())


def singles(evidence: Evidence, count: int) -> tuple[Selection, ...]:
    """So many single pictures, of all groups alike."""
    strongest(evidence, 1)
    return tuple(Selection((one,)) for one in _spread(evidence)[:count])


def contrasted(evidence: Evidence, count: int) -> Selection:
    """The strongest, beside as many on which the feature is silent."""
    silent = tuple(one for group in NEAREST_FIRST for one in evidence.of(group))
    if not silent:
        raise WontWork(
            f"The evidence of feature {evidence.feature} has no picture on which it is silent: "
            "there is nothing to contrast. Gather some with top_images and negatives"
        )
    firing = strongest(evidence, count).firing
    return Selection(firing, silent[: len(firing)])


def _spread(evidence: Evidence) -> tuple[Sighting, ...]:
    """One of each group in turn, then the next of each."""
    keys = [(one.group, one.quantile) for one in evidence.of(*FIRING)]
    ranks = [keys[:at].count(key) for at, key in enumerate(keys)]
    pairs = sorted(zip(ranks, evidence.of(*FIRING), strict=True), key=lambda pair: pair[0])
    return tuple(sighting for _, sighting in pairs)
