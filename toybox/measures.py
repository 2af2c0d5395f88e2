"""Numbers with their uncertainty: shares with Wilson intervals, means with bootstrap intervals.

Knows statistics only. Resampling is by picture: answers about one picture are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Z95 = 1.96


class Estimate(NamedTuple):
    """A value, its 95 % interval, and how many cases it rests on."""

    value: float
    low: float
    high: float
    n: int


def share(right: Sequence[bool]) -> Estimate:
    """The share of true cases, with Wilson's interval; of no cases, nothing is known."""
    n = len(right)
    if n == 0:
        return Estimate(math.nan, 0.0, 1.0, 0)
    p = sum(right) / n
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2)) / (1 + Z95**2 / n)
    return Estimate(p, max(0.0, centre - half), min(1.0, centre + half), n)


def bootstrapped(
    cases: Sequence[object], value: Callable[[list], float], seed: int, rounds: int = 500
) -> Estimate:
    """A statistic of cases, with the interval of its values on resampled ones; nan for none."""
    if not cases:
        return Estimate(math.nan, math.nan, math.nan, 0)
    rng = np.random.default_rng(seed)
    draws = [
        value([cases[i] for i in rng.integers(len(cases), size=len(cases))]) for _ in range(rounds)
    ]
    low, high = np.quantile(draws, (0.025, 0.975))
    return Estimate(value(list(cases)), float(low), float(high), len(cases))
