"""One batch of codes: a table of pictures by features, and what an index reads off it.

The table is made by scattering on the batch's own device, without sorting: it is about as large as
the code itself, since a picture lights as many cells as there are features, or more. Only what may
be kept is looked at more closely, and goes to the CPU.

Shapes: B pictures, P cells, K slots, A = P * K activations of a picture, N = B * A, F features,
Q pairs of a feature and a picture, L lit cells of theirs, S chosen pictures.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.coders.sparse import Code
from sae_core.index.bins import BINS
from sae_core.index.pairs import Pairs
from sae_core.index.pool import Pool
from sae_core.index.stats import Stats, bins_of, in_units


class Harvested(NamedTuple):
    """What a batch of pictures makes fire, cell by cell."""

    picture_B: Tensor
    """int64, their numbers"""
    code: Code
    """Values and indices [B, P, K], the base grid row by row."""
    embedding_BE: Tensor
    """What each picture is like, to find similar ones."""
    grid: tuple[int, int]
    """Rows and columns of the base grid."""


class Table(NamedTuple):
    """A batch's pictures by features."""

    slots: int
    """K"""
    value_N: Tensor
    """float32, the activations as the code has them"""
    at_N: Tensor
    """int64, the place of each in the flattened table"""
    total_BF: Tensor
    """int64, the sum over a picture's cells in stats.UNIT"""
    peak_BF: Tensor
    """float32, the largest of a picture's cells"""

    def add_to(self, stats: Stats) -> None:
        """Add the batch to a record."""
        features = self.total_BF.shape[1]
        feature_N, fires_N = self.at_N % features, (self.value_N > 0).long()
        stats.tokens_F.scatter_add_(0, feature_N, fires_N)
        stats.pictures_F.add_((self.peak_BF > 0).sum(0))
        stats.total_F.add_(self.total_BF.sum(0))
        stats.peak_F.copy_(torch.maximum(stats.peak_F, self.peak_BF.amax(0)))
        bin_N = feature_N * BINS + bins_of(self.value_N)
        stats.histogram_FH.view(-1).scatter_add_(0, bin_N, fires_N)

    def pairs(self, picture_B: Tensor, wanted_BF: Tensor) -> Pairs:
        """Some of the pairs that fire, with their lit cells."""
        rows, features = wanted_BF.shape
        wanted_BF = wanted_BF.reshape(-1)
        at_Q = wanted_BF.nonzero()[:, 0]
        number_BF = torch.empty_like(wanted_BF, dtype=torch.int32)
        number_BF[at_Q] = torch.arange(len(at_Q), dtype=torch.int32, device=at_Q.device)
        lit_L = (wanted_BF[self.at_N] & (self.value_N > 0)).nonzero()[:, 0]
        pair_L = number_BF[self.at_N[lit_L]]
        # Stable: a picture's cells stay row by row.
        order_L = pair_L.argsort(stable=True)
        lit_L = lit_L[order_L]
        cell_L = lit_L % (len(self.at_N) // rows) // self.slots
        return Pairs(
            (at_Q % features).int().cpu(),
            picture_B[(at_Q // features).cpu()],
            self.total_BF.reshape(-1)[at_Q].cpu(),
            self.peak_BF.reshape(-1)[at_Q].cpu(),
            torch.bincount(pair_L, minlength=len(at_Q)).int().cpu(),
            cell_L.short().cpu(),
            self.value_N[lit_L].cpu(),
        )

    def pool(self, picture_B: Tensor, embedding_BE: Tensor, chosen: Tensor) -> Pool:
        """Some of the pictures, with everything that fires on them."""
        here = chosen.to(self.peak_BF.device)
        fires_SF = self.peak_BF[here] > 0
        feature_R = fires_SF.nonzero()[:, 1]
        return Pool(
            picture_B[chosen],
            embedding_BE[chosen],
            fires_SF.sum(1).int().cpu(),
            feature_R.int().cpu(),
            self.total_BF[here][fires_SF].cpu(),
        )


def table_of(code: Code, features: int) -> Table:
    """The table of a batch's code [B, P, K]."""
    rows, _, slots = code.values_NK.shape
    value_N = code.values_NK.reshape(-1).float()
    first_B = torch.arange(rows, device=value_N.device) * features
    at_N = (code.indices_NK.reshape(rows, -1) + first_B[:, None]).reshape(-1)
    units_N = in_units(value_N)
    total_BF = units_N.new_zeros(rows * features).scatter_add_(0, at_N, units_N)
    peak_BF = value_N.new_zeros(rows * features).scatter_reduce_(0, at_N, value_N, "amax")
    shape = (rows, features)
    return Table(slots, value_N, at_N, total_BF.reshape(shape), peak_BF.reshape(shape))
