"""How well a label foretells on which held-out pictures its feature fires.

The threshold of the balanced accuracy is fixed before anyone looks; the area under the ROC curve
needs none. Both are 0.5 for a label that knows nothing, whatever share of pictures fires.

Knows scores and whether the feature fired; one picture each.

Shapes: N pictures, P of them fire, Q do not, D draws.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sae_core.errors import UserError
from sae_core.scoring.estimate import Score, interval
from sae_core.scoring.nulls import drawn_null
from sae_core.scoring.resampling import SHARE, Ends, Weights, weights
from sae_core.scoring.significance import DRAWS


class Detection(NamedTuple):
    """How well firing was foretold."""

    balanced_accuracy: Score
    auroc: Score


class Foretold(NamedTuple):
    """What was foretold of the pictures on which the feature fires, and of the silent ones."""

    firing_P: np.ndarray
    silent_Q: np.ndarray


def detection(
    score_N: np.ndarray, fires_N: np.ndarray, threshold: float, seed: int = 0
) -> Detection:
    """Compare a label's scores on held-out pictures with true firing."""
    foretold = _split(score_N, fires_N)
    return Detection(_balanced_accuracy(foretold, threshold, seed), _auroc(foretold, seed))


def auroc(score_N: np.ndarray, fires_N: np.ndarray) -> float:
    """How often a firing picture scores more than a silent one; a tie counts half."""
    firing_P, silent_Q = _split(score_N, fires_N)
    rank_N = _ranks(np.concatenate([firing_P, silent_Q]))
    return float(_areas(rank_N[: len(firing_P)].sum(), len(firing_P), len(silent_Q)))


def _split(score_N: np.ndarray, fires_N: np.ndarray) -> Foretold:
    score_N, fires_N = np.asarray(score_N, dtype=np.float64), np.asarray(fires_N)
    if score_N.ndim != 1 or score_N.shape != fires_N.shape or fires_N.dtype != bool:
        raise UserError(
            f"{score_N.shape} scores came with {fires_N.dtype} {fires_N.shape} of firing. "
            "Give each picture a score, and True or False"
        )
    if np.isnan(score_N).any():
        raise UserError("A picture's score is not a number. Leave failures out")
    if fires_N.all() or not fires_N.any():
        raise UserError(
            f"The feature fires on {fires_N.sum()} of {len(fires_N)} held-out pictures: both kinds "
            "are needed. Take more of them"
        )
    return Foretold(np.sort(score_N[fires_N]), np.sort(score_N[~fires_N]))


def _balanced_accuracy(foretold: Foretold, threshold: float, seed: int) -> Score:
    right_P, right_Q = foretold.firing_P >= threshold, foretold.silent_Q < threshold
    value = float((right_P.mean() + right_Q.mean()) / 2)
    rng = np.random.default_rng(seed)
    firing, silent = _share(right_P, rng), _share(right_Q, rng)
    found = interval(value, (firing.low_D + silent.low_D) / 2, (firing.high_D + silent.high_D) / 2)
    called_N = np.concatenate([right_P, ~right_Q]).astype(np.float64)
    hits_D = _shuffled_sums(called_N, len(right_P), seed)
    null_D = (hits_D / len(right_P) + 1 - (called_N.sum() - hits_D) / len(right_Q)) / 2
    null = drawn_null("shuffled_labels", value, null_D, len(called_N))
    return Score(value=value, low=found.low, high=found.high, n=len(called_N), nulls=(null,))


def _share(right_P: np.ndarray, rng: np.random.Generator) -> Ends:
    drawn = weights(len(right_P), rng)
    return drawn.ends(drawn.weight_DP @ np.sort(right_P).astype(np.float64), SHARE)


def _auroc(foretold: Foretold, seed: int) -> Score:
    firing, silent = len(foretold.firing_P), len(foretold.silent_Q)
    rng = np.random.default_rng(seed)
    above, below = weights(firing, rng), weights(silent, rng)
    seen_D = above.seen_D * below.seen_D  # pairs with an unseen picture are lost, or won
    joint = Weights(above.weight_DP, seen_D)
    rank_N = _ranks(np.concatenate(foretold))
    value = float(_areas(rank_N[:firing].sum(), firing, silent))
    found = interval(value, *joint.ends(_weighted_areas(foretold, above, below), SHARE))
    null_D = _areas(_shuffled_sums(rank_N, firing, seed), firing, silent)
    null = drawn_null("shuffled_labels", value, null_D, firing + silent)
    return Score(value=value, low=found.low, high=found.high, n=firing + silent, nulls=(null,))


def _weighted_areas(foretold: Foretold, above: Weights, below: Weights) -> np.ndarray:
    """The area under the curve with pictures weighted, draw by draw [D]."""
    firing_P, silent_Q = foretold
    lower_DQ = np.pad(below.weight_DP.cumsum(1), ((0, 0), (1, 0)))
    beaten_DP = lower_DQ[:, np.searchsorted(silent_Q, firing_P, side="left")]
    reached_DP = lower_DQ[:, np.searchsorted(silent_Q, firing_P, side="right")]
    return (above.weight_DP * (beaten_DP + reached_DP) / 2).sum(1)


def _ranks(value_N: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share their mean rank [N]."""
    _, place_N, count = np.unique(value_N, return_inverse=True, return_counts=True)
    return (count.cumsum() - (count - 1) / 2)[place_N]


def _areas(rank_sum: np.ndarray, firing: int, silent: int) -> np.ndarray:
    """The area under the curve from the sum of the firing pictures' ranks."""
    return (rank_sum - firing * (firing + 1) / 2) / (firing * silent)


def _shuffled_sums(value_N: np.ndarray, firing: int, seed: int) -> np.ndarray:
    """The sum over as many pictures as fire, drawn anew each time [D]."""
    many_DN = np.broadcast_to(np.sort(value_N), (DRAWS, len(value_N)))
    return np.random.default_rng(seed).permuted(many_DN, axis=1)[:, :firing].sum(1)
