"""Which features fire more often on one set of pictures than on another, and could it be chance.

The null is a permutation: had the pictures been dealt to the two sets by chance, how often would
the rates differ as much. All deals are counted, none is drawn. Knows counts; nothing of pictures.

Shapes: F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sae_core.scoring.significance import benjamini_hochberg


class Sides(NamedTuple):
    """How many pictures each set has."""

    one: int
    other: int


class Contrasted(NamedTuple):
    """A feature on two sets of pictures."""

    feature: int
    rate: float
    """On what share of the one set it fires."""
    other: float
    """And of the other."""
    p: float
    """How often chance makes the rates differ as much, either way."""
    rate_of_false: float
    """The smallest false discovery rate at which this is a discovery."""


def contrasted(
    one_F: Sequence[int], other_F: Sequence[int], sides: Sides, kept_F: Sequence[bool]
) -> list[Contrasted]:
    """The features that are kept and fire at all; the surest first, then the most changed."""
    rows = zip(one_F, other_F, kept_F, strict=True)
    asked = [(f, a, b) for f, (a, b, kept) in enumerate(rows) if kept and a + b]
    p_N = np.array([deal_p(a, b, sides) for _, a, b in asked], np.float64)
    q_N = benjamini_hochberg(p_N)
    found = [
        Contrasted(f, a / sides.one, b / sides.other, float(p), float(q))
        for (f, a, b), p, q in zip(asked, p_N, q_N, strict=True)
    ]
    return sorted(found, key=lambda c: (c.rate_of_false, -abs(c.rate - c.other), c.feature))


@lru_cache(maxsize=1 << 16)
def deal_p(one: int, other: int, sides: Sides) -> float:
    """How often dealing out so many firing pictures parts them at least as unevenly."""
    firing = one + other
    dealt_N = np.arange(max(0, firing - sides.other), min(firing, sides.one) + 1)
    parted_N = np.abs(dealt_N * sides.other - (firing - dealt_N) * sides.one)
    uneven = abs(one * sides.other - other * sides.one)
    ways_N = _ways(sides.one, dealt_N) + _ways(sides.other, firing - dealt_N)
    share_N = np.exp(ways_N - _ways(sum(sides), np.array(firing)))
    return min(1.0, float(share_N[parted_N >= uneven].sum()))


def _ways(count: int, taken_N: np.ndarray) -> np.ndarray:
    """The logarithm of how many ways there are to take so many of a count."""
    log_factorial = np.log(np.arange(1, count + 1)).cumsum()
    log_factorial = np.concatenate([[0.0], log_factorial])
    return log_factorial[count] - log_factorial[taken_N] - log_factorial[count - taken_N]
