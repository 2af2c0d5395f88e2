"""Pairs of a feature and a picture on which it fires, and the few of them that an index keeps.

A picture is kept by a feature for one of three reasons: it is among the strongest by mean, among
the strongest by maximum, or drawn by chance. What two sets of pictures keep holds what both
together keep, so pairs can be folded in any order and any number of times.

A pair's patch map is the list of its lit cells, six bytes each, exact: most kept pairs light few
cells, the published masks need the very numbers, and rows of half precision cost 2 bytes for every
cell, lit or not.

Shapes: M pairs, C lit cells of all pairs, one pair's after the other's, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.index.draw import LAST, lots
from sae_core.index.ragged import items_of
from sae_core.index.spec import IndexSpec


class Pairs(NamedTuple):
    """Pairs, and the cells that each lights."""

    feature_M: Tensor
    """int32"""
    picture_M: Tensor
    """int64, the picture's number"""
    total_M: Tensor
    """int64, the sum of the cells in stats.UNIT"""
    peak_M: Tensor
    """float32, the largest cell"""
    lit_M: Tensor
    """int32, how many cells are lit"""
    cell_C: Tensor
    """int16, the number of a lit cell, row by row"""
    value_C: Tensor
    """float32, its activation"""

    def take(self, rows: Tensor) -> Pairs:
        """Some of the pairs, in the order asked for."""
        at_C = items_of(self.lit_M, rows)
        pairs = (part[rows] for part in self[:5])
        return Pairs(*pairs, cell_C=self.cell_C[at_C], value_C=self.value_C[at_C])


class Limits(NamedTuple):
    """What a new pair must reach to be kept, for each feature, and at least one of."""

    total_F: Tensor
    peak_F: Tensor
    lot_F: Tensor
    """The only one that must not be passed."""


class Selected(NamedTuple):
    """What is kept, by feature and then by picture, and what it takes to be kept from now on."""

    pairs: Pairs
    limits: Limits


class _Leaders(NamedTuple):
    chosen_M: Tensor
    """Which pairs are among the first."""
    last: Tensor
    """The last pair to be so, of each feature that has enough."""


def no_pairs() -> Pairs:
    """None at all."""
    whole, small, real = torch.int64, torch.int32, torch.float32
    kinds = (small, whole, whole, real, small, torch.int16, real)
    return Pairs(*(torch.empty(0, dtype=kind) for kind in kinds))


def no_limits(features: int) -> Limits:
    """Every pair is kept."""
    return Limits(
        torch.zeros(features, dtype=torch.int64),
        torch.zeros(features),
        torch.full((features,), LAST),
    )


def _by_feature(feature_M: Tensor, order: Tensor) -> Tensor:
    """The order with features brought together, those of one left as they are.

    Numbers of two bytes are sorted without comparing, ten times as fast as wider ones.
    """
    for bits in (feature_M & 0x7FFF, feature_M >> 15):
        order = order[bits[order].short().argsort(stable=True)]
    return order


def _leaders(feature_M: Tensor, key_M: Tensor, start_M: Tensor, count: int) -> _Leaders:
    """Each feature's pairs with the smallest keys; of equal ones those with smaller pictures."""
    order = _by_feature(feature_M, key_M.argsort(stable=True))
    rank = torch.arange(len(order)) - start_M
    chosen_M = torch.zeros(len(order), dtype=torch.bool)
    chosen_M[order[rank < count]] = True
    return _Leaders(chosen_M, order[rank == count - 1])


def kept(sets: Sequence[Pairs], spec: IndexSpec) -> Selected:
    """What is kept of several disjoint sets of pairs."""
    pairs = Pairs(*(torch.cat(parts) for parts in zip(*sets, strict=True)))
    order = _by_feature(pairs.feature_M, pairs.picture_M.argsort(stable=True))
    feature_M, total_M, peak_M = (
        part[order] for part in (pairs.feature_M, pairs.total_M, pairs.peak_M)
    )
    lot_M = lots(spec.seed, pairs.picture_M[order])
    _, sizes = feature_M.unique_consecutive(return_counts=True)
    start_M = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    by_total = _leaders(feature_M, -total_M, start_M, spec.top)
    # The bits of positive floats are in the floats' order, and sort ten times as fast.
    by_peak = _leaders(feature_M, -peak_M.view(torch.int32), start_M, spec.top)
    by_lot = _leaders(feature_M, lot_M, start_M, spec.sample)

    limits = no_limits(spec.features)
    for limit_F, key_M, last in zip(
        limits, (total_M, peak_M, lot_M), (by_total.last, by_peak.last, by_lot.last), strict=True
    ):
        limit_F[feature_M[last].long()] = key_M[last]
    chosen_M = by_total.chosen_M | by_peak.chosen_M | by_lot.chosen_M
    return Selected(pairs.take(order[chosen_M]), limits)
