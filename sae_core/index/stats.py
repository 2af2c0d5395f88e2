"""How often and how strongly each feature fires, as sums that no order of adding can change.

Sums are integers: an activation counts in units of 2**-20. Maxima and counts are exact as they are.

Shapes: N activations, F features, H bins of the histogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.index.bins import BINS, LOWEST

UNIT = 1 << 20
"""How many units make an activation of one: enough for the paper's threshold of 1e-5, and for
8e12 activations of one in a sum."""


class Stats(NamedTuple):
    """Each feature's record over all pictures seen."""

    tokens_F: Tensor
    """int64, on how many positions it fired"""
    pictures_F: Tensor
    """int64, on how many pictures"""
    total_F: Tensor
    """int64, the sum of its activations in UNIT"""
    peak_F: Tensor
    """float32, the largest"""
    histogram_FH: Tensor
    """int64, how many activations fell into each bin"""


def no_stats(features: int, device: torch.device | str = "cpu") -> Stats:
    """Of no pictures."""
    count = torch.zeros(features, dtype=torch.int64, device=device)
    bins = count.new_zeros(features, BINS)
    return Stats(count, count.clone(), count.clone(), count.float(), bins)


def in_units(value_N: Tensor) -> Tensor:
    """Activations as integers."""
    return (value_N * UNIT).round().long()


def bins_of(value_N: Tensor) -> Tensor:
    """Each activation's bin, read off the bits of the float: its exponent and first binary place.

    Logarithms differ in the last place between processors; these are the same everywhere.
    """
    halves = value_N.contiguous().view(torch.int32) >> 22
    return (halves - ((127 + LOWEST) << 1)).clamp(0, BINS - 1)


def added(parts: Sequence[Stats]) -> Stats:
    """The record over several disjoint sets of pictures."""
    tokens, pictures, totals, peaks, histograms = zip(*parts, strict=True)
    return Stats(
        torch.stack(tokens).sum(0),
        torch.stack(pictures).sum(0),
        torch.stack(totals).sum(0),
        torch.stack(peaks).amax(0),
        torch.stack(histograms).sum(0),
    )
