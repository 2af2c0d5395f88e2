"""p-values by counting, and what becomes of them when there are many.

Knows numbers only. The observed arrangement always counts as one of those that chance may draw, so
that a p-value is valid for any number of draws.

Shapes: D draws, P pictures, N p-values.
"""

from __future__ import annotations

import math

import numpy as np

from sae_core.errors import UserError

DRAWS = 4000
"""How many arrangements are drawn where there are too many to count all."""
_EXACT = 12
"""Up to so many pictures, all arrangements of signs are counted: 2**12 at most."""
_ROUNDING = 1e-9
"""Sums in another order differ in the last places; equal ones must still count as equal."""


def rank_p(value: float, null_D: np.ndarray) -> float:
    """How often the null reaches the value, the value itself being one of the cases."""
    reached = null_D >= value - _ROUNDING * max(1.0, abs(value))
    return float((1 + reached.sum()) / (1 + len(null_D)))


def sign_flip_p(difference_P: np.ndarray, seed: int, *, two_sided: bool) -> float:
    """Were the signs of paired differences chance: how often is their sum as large."""
    flipped_D = _signs(len(difference_P), seed) @ np.sort(difference_P)
    total = np.sort(difference_P).sum()
    if two_sided:
        flipped_D, total = np.abs(flipped_D), abs(total)
    rounding = _ROUNDING * np.abs(difference_P).sum()
    return float((flipped_D >= total - rounding).mean())


def _signs(pictures: int, seed: int) -> np.ndarray:
    """Arrangements of signs, the observed one among them [D, P]."""
    if pictures <= _EXACT:
        bits = np.arange(2**pictures)[:, None] >> np.arange(pictures)
        return 1.0 - 2.0 * (bits & 1)
    drawn = np.random.default_rng(seed).integers(0, 2, (DRAWS, pictures))
    return np.concatenate([np.ones((1, pictures)), 2.0 * drawn - 1])


def benjamini_hochberg(p_N: np.ndarray) -> np.ndarray:
    """The smallest false discovery rate at which each is still a discovery [N].

    Discoveries at a rate of 5 % are those with a number of at most 0.05.
    """
    p_N = np.asarray(p_N, dtype=np.float64)
    if p_N.ndim != 1 or not ((p_N >= 0) & (p_N <= 1)).all():
        raise UserError(
            f"p-values are one row of numbers from 0 to 1, not {p_N.tolist()}. "
            "Give the p of each score's null"
        )
    order = np.argsort(p_N)
    scaled = p_N[order] * len(p_N) / np.arange(1, len(p_N) + 1)
    # A larger p-value is never the better discovery.
    monotone = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted_N = np.empty_like(p_N)
    adjusted_N[order] = np.minimum(monotone, 1)
    return adjusted_N


def share_p(hits: int, of: int, share: float) -> float:
    """Were each a hit as often as this share: how often are there at least so many."""
    every = math.lgamma(of + 1)
    ways = ((k, every - math.lgamma(k + 1) - math.lgamma(of - k + 1)) for k in range(hits, of + 1))
    tail = (math.exp(w + k * math.log(share) + (of - k) * math.log1p(-share)) for k, w in ways)
    return min(1.0, math.fsum(tail))


def mcnemar_p(better: int, worse: int) -> float:
    """McNemar's exact test, two-sided: were changes for better and worse equally likely."""
    n, fewer = better + worse, min(better, worse)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / 2**n)
