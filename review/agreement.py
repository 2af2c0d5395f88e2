"""How far people agree: Krippendorff's alpha for scores in an order, with an interval.

Knows scores; nothing of who gave them or what they are about. The published method is followed
(K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011): missing scores are no
disagreement, and what only one person scored says nothing.

Shapes: U units that two or more scored, K kinds of units whose scores are the same, V values on the
scale, D draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SCALE = (1, 2, 3, 4, 5)
DRAWS = 1000
CONFIDENCE = 0.95
Floats = NDArray[np.float64]


class Agreement(NamedTuple):
    """How far people agree beyond chance: 1 is fully, 0 as if they rolled dice."""

    alpha: float
    low: float
    """Of the interval, over what they scored."""
    high: float
    units: int
    """How many things two people or more scored."""


class Two(NamedTuple):
    """Two people who scored the same things."""

    left: str
    right: str
    units: int
    same: float
    """The share of which both said the same."""
    apart: float
    """How far their scores are apart, in the mean."""


def pairs(scored: Iterable[Mapping[str, int]], names: Sequence[str]) -> tuple[Two, ...]:
    """Each two of these people who scored something in common, those with the most first."""
    apart: dict[tuple[str, str], list[int]] = {}
    for each in scored:
        known = [name for name in names if name in each]
        for two in combinations(known, 2):
            apart.setdefault(two, []).append(abs(each[two[0]] - each[two[1]]))
    found = (
        Two(left, right, len(some), some.count(0) / len(some), sum(some) / len(some))
        for (left, right), some in apart.items()
    )
    return tuple(sorted(found, key=lambda two: -two.units))


def agreement(
    scores: Iterable[Sequence[int]], *, scale: Sequence[int] = SCALE, seed: int = 0
) -> Agreement | None:
    """Of all scores that each thing got.

    None where no two people scored one thing, or where all scores are the same, so that nobody
    could have disagreed.
    """
    each_UVV = _pairs([unit for unit in scores if len(unit) > 1], scale)
    count = len(each_UVV)
    alpha = _alpha(each_UVV.sum(axis=0)[None])[0] if count else np.nan
    if np.isnan(alpha):
        return None
    drawn_D = _drawn(each_UVV, np.random.default_rng(seed))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn_D, (tail, 1 - tail))
    return Agreement(float(alpha), float(min(low, alpha)), float(max(high, alpha)), count)


def _pairs(units: list[Sequence[int]], scale: Sequence[int]) -> Floats:
    """How often two values stand side by side in each unit; a score counts once in all."""
    places = {value: place for place, value in enumerate(scale)}
    counts_UV = np.zeros((len(units), len(scale)))
    for row, unit in enumerate(units):
        for value in unit:
            counts_UV[row, places[value]] += 1
    pairs_UVV = counts_UV[:, :, None] * counts_UV[:, None, :]
    same = np.arange(len(scale))
    pairs_UVV[:, same, same] -= counts_UV
    return pairs_UVV / np.maximum(counts_UV.sum(axis=1) - 1, 1)[:, None, None]


def _alpha(pairs_DVV: Floats) -> Floats:
    """Alpha of each draw; NaN where all scores are the same."""
    of_value_DV = pairs_DVV.sum(axis=2)
    all_D = of_value_DV.sum(axis=1)
    # Values lie as far apart as there are scores between them, and half of their own.
    up_DV = of_value_DV.cumsum(axis=1) - of_value_DV / 2
    apart_DVV = (up_DV[:, :, None] - up_DV[:, None, :]) ** 2
    seen_D = (pairs_DVV * apart_DVV).sum(axis=(1, 2))
    by_chance_D = (of_value_DV[:, :, None] * of_value_DV[:, None, :] * apart_DVV).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - (all_D - 1) * seen_D / by_chance_D


def _drawn(each_UVV: Floats, rng: np.random.Generator) -> Floats:
    """Alpha of so many samples of the units, each drawn with replacement."""
    count, values, _ = each_UVV.shape
    # Units that were scored alike are drawn together: there are few kinds, however many units.
    kinds_KC, times_K = np.unique(each_UVV.reshape(count, -1), axis=0, return_counts=True)
    drawn_DK = rng.multinomial(count, times_K / count, size=DRAWS)
    return _alpha((drawn_DK @ kinds_KC).reshape(DRAWS, values, values))
