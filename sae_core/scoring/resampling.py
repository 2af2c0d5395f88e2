"""Bootstrap intervals that resample pictures, and reckon with one picture that was not seen.

Several masks or answers on one picture are not independent, so a picture keeps or loses its weight
as a whole. Weights are uniform on the simplex (Rubin's Bayesian bootstrap), shared among the
pictures and one unseen one; that one scores the least possible for the lower end of the interval
and the most possible for the upper one (Gaffke 2005). On shares of zeros and ones that is exactly
Clopper's and Pearson's interval. So a single picture, or pictures that all score the same, get an
interval as wide as what they leave open, where resampling alone would give none.

Knows numbers only. Nothing depends on the order or the names of pictures.

Shapes: N cases, P pictures, D draws.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sae_core.errors import UserError
from sae_core.scoring.estimate import Difference, Estimate, interval
from sae_core.scoring.significance import sign_flip_p

DRAWS = 2000


class Span(NamedTuple):
    """The least and the most that one picture can score."""

    low: float
    high: float


SHARE = Span(0.0, 1.0)


class Cases(NamedTuple):
    """Measured values, and the picture that each was measured on."""

    value_N: np.ndarray
    picture_N: np.ndarray


class Pictures(NamedTuple):
    """Cases gathered by picture, in the order of the pictures' numbers."""

    number_P: np.ndarray
    sum_P: np.ndarray
    count_P: np.ndarray

    @property
    def mean_P(self) -> np.ndarray:
        """Each picture's mean."""
        return self.sum_P / self.count_P


class Weights(NamedTuple):
    """Draws of how much each picture weighs."""

    weight_DP: np.ndarray
    """Among the pictures seen; sums to 1."""
    seen_D: np.ndarray
    """How much all of them weigh beside the one unseen."""

    def ends(self, mean_D: np.ndarray, span: Span) -> Ends:
        """What draws over the pictures seen become with the unseen one at either end."""
        # Weights that add up to 1 but for their last digit must not lead out of the span.
        mean_D, unseen_D = np.clip(mean_D, span.low, span.high), 1 - self.seen_D
        return Ends(
            self.seen_D * mean_D + unseen_D * span.low, self.seen_D * mean_D + unseen_D * span.high
        )


class Ends(NamedTuple):
    """Draws with the unseen picture at its worst and at its best."""

    low_D: np.ndarray
    high_D: np.ndarray


def cases_of(value_N: np.ndarray | list[float]) -> Cases:
    """Values of different pictures."""
    return Cases(np.asarray(value_N, dtype=np.float64), np.arange(len(value_N)))


def weights(pictures: int, rng: np.random.Generator) -> Weights:
    """Weights of that many pictures and an unseen one, drawn uniformly."""
    drawn = rng.standard_exponential((DRAWS, pictures + 1))
    total_D = drawn.sum(1)
    seen_DP = drawn[:, 1:]
    return Weights(seen_DP / seen_DP.sum(1, keepdims=True), 1 - drawn[:, 0] / total_D)


def by_picture(cases: Cases, span: Span) -> Pictures:
    """Gather by picture; every value must lie within the span."""
    value_N = np.asarray(cases.value_N, dtype=np.float64)
    picture_N = np.asarray(cases.picture_N)
    if value_N.ndim != 1 or value_N.shape != picture_N.shape:
        raise UserError(
            f"{value_N.shape} values came with {picture_N.shape} pictures. Give each value one"
        )
    if not len(value_N):
        raise UserError("No picture to score: an empty set has no mean. Give at least one")
    outside = ~((value_N >= span.low) & (value_N <= span.high))
    if outside.any():
        raise UserError(
            f"Picture {picture_N[outside][0]} scores {value_N[outside][0]}, which is outside of "
            f"{span.low} to {span.high}. Leave failures out instead of scoring them"
        )
    # Sorted, because sums in another order differ in the last places.
    order = np.lexsort((value_N, picture_N))
    number_P, place_N, count_P = np.unique(
        picture_N[order], return_inverse=True, return_counts=True
    )
    return Pictures(number_P, np.bincount(place_N, value_N[order]), count_P.astype(np.float64))


def mean(cases: Cases, span: Span, seed: int) -> Estimate:
    """The mean of all cases."""
    pictures = by_picture(cases, span)
    # In an order of their own, so that weights fall on the same pictures whatever their numbers.
    order = np.lexsort((pictures.count_P, pictures.sum_P))
    drawn = weights(len(order), np.random.default_rng(seed))
    weight_DP = drawn.weight_DP
    mean_D = (weight_DP @ pictures.sum_P[order]) / (weight_DP @ pictures.count_P[order])
    value = mean_value(cases, span)
    found = interval(value, *drawn.ends(mean_D, span))
    return Estimate(value=value, low=found.low, high=found.high, n=len(order))


def mean_value(cases: Cases, span: Span) -> float:
    """The mean of all cases, alone."""
    pictures = by_picture(cases, span)
    total = np.sort(pictures.sum_P).sum()
    return float(np.clip(total / pictures.count_P.sum(), *span))


def paired(one: Cases, other: Cases, span: Span) -> np.ndarray:
    """On each picture, how much more the one scores than the other, in rising order [P]."""
    ours, theirs = by_picture(one, span), by_picture(other, span)
    if not np.array_equal(ours.number_P, theirs.number_P):
        alone = np.setxor1d(ours.number_P, theirs.number_P)
        raise UserError(
            f"Picture {alone[0]} was scored for one of two labels only. "
            "Compare labels on the same pictures"
        )
    return np.sort(ours.mean_P - theirs.mean_P)


def difference(one: Cases, other: Cases, span: Span, seed: int) -> Difference:
    """How much more the one label scores than the other; each picture counts once."""
    difference_P = paired(one, other, span)
    width = span.high - span.low
    drawn = weights(len(difference_P), np.random.default_rng(seed))
    value = float(difference_P.mean())
    found = interval(value, *drawn.ends(drawn.weight_DP @ difference_P, Span(-width, width)))
    return Difference(
        value=value,
        low=found.low,
        high=found.high,
        n=len(difference_P),
        p=sign_flip_p(difference_P, seed, two_sided=True),
    )
