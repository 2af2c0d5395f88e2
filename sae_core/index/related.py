"""Which pictures look like a feature's own but leave it silent, and which features fire with it.

Both are found among the pictures of the pool only, so a feature that fires on none of them gets
neither: nothing is made up for it. Nothing as large as features by features, or a number for every
feature and picture, is ever held: features are compared block by block, and who fires where is
kept in single bits.

Shapes: F features, S pictures of the pool, W bytes that hold a bit for each, E width of
embeddings, A features that fire on the pool, C and G of them in a block, R pairs, N found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from sae_core.index.pool import Pool
from sae_core.index.spec import IndexSpec

BLOCK = 1 << 11
"""How many features are looked at together, at most."""
SCORES = 1 << 22
"""How many scores exist at once; to rank them takes about 200 MB."""
_NEVER = -2.0
"""A score below all scores, of what must not be found."""


class Related(NamedTuple):
    """For each feature the best first; -1 where there are no more."""

    negative_FN: Tensor
    """int64, the numbers of pictures on which it is silent"""
    near_FN: Tensor
    """float32, the cosine of each with the feature's own pictures"""
    neighbour_FN: Tensor
    """int32, other features"""
    share_FN: Tensor
    """float32, of the pictures on which one of the two fires, how many make both fire"""


class _Ranked(NamedTuple):
    column_CN: Tensor
    score_CN: Tensor


def _ranked(score_CX: Tensor, count: int) -> _Ranked:
    """The columns with the highest scores, of equal ones the first."""
    best = score_CX.topk(min(count, score_CX.shape[1]))
    # topk leaves ties to chance: which of several it finds, and in which order.
    least_C1, column_CN = best.values[:, -1:], best.indices
    more_C = (score_CX >= least_C1).sum(1) > column_CN.shape[1]
    tied_C = more_C & (least_C1[:, 0] > _NEVER)
    if tied_C.any():
        column_CN[tied_C] = _first_of_equals(score_CX[tied_C], column_CN.shape[1])
    column_CN = column_CN.sort(1).values
    score_CN = score_CX.gather(1, column_CN)
    sorted_CN = score_CN.sort(dim=1, descending=True, stable=True)
    return _Ranked(column_CN.gather(1, sorted_CN.indices), sorted_CN.values)


def _first_of_equals(score_CX: Tensor, count: int) -> Tensor:
    """The same columns, with their numbers made part of the scores: that takes much longer."""
    columns = score_CX.shape[1]
    bits = columns.bit_length()
    last_first = torch.arange(columns - 1, -1, -1, device=score_CX.device)
    key_CX = ((score_CX.double() * 2.0 ** (60 - bits)).round().long() << bits) + last_first
    return key_CX.topk(count).indices


def _better(first: _Ranked | None, later: _Ranked, count: int) -> _Ranked:
    """The best of two rankings, of which the later one has the later columns."""
    if first is None:
        return later
    column, score = (torch.cat(pair, 1) for pair in zip(first, later, strict=True))
    best = _ranked(score, count)
    return _Ranked(column.gather(1, best.column_CN), best.score_CN)


def _complete(found: list[_Ranked], count: int) -> _Ranked:
    """The rankings of all blocks, -1 where there are no more."""
    column_AN, score_AN = (torch.cat(parts).cpu() for parts in zip(*found, strict=True))
    none_AN = score_AN == _NEVER
    missing = (0, count - score_AN.shape[1])
    return _Ranked(
        functional.pad(column_AN.masked_fill(none_AN, -1), missing, value=-1),
        functional.pad(score_AN.masked_fill(none_AN, 0), missing, value=0.0),
    )


class _Firing:
    """Which features fire on the pool, and on which of its pictures."""

    def __init__(self, pool: Pool, features: int, device: torch.device | str) -> None:
        self.pool, self.device, self.pictures = pool, device, len(pool.picture_S)
        count_F = torch.bincount(pool.feature_R, minlength=features)
        self.feature_A = count_F.nonzero()[:, 0]
        self.count_A = count_F[self.feature_A].to(device).float()
        self._ends_S = pool.fires_S.long().cumsum(0)
        self._place_F = torch.empty(features, dtype=torch.int32)
        self._place_F[self.feature_A] = torch.arange(len(self.feature_A), dtype=torch.int32)
        self._bit_8 = torch.arange(8, dtype=torch.uint8, device=device)
        self.block = max(1, min(BLOCK, SCORES // max(1, self.pictures)))
        self._bits = {span.start: self._packed(self.weights(span)) for span in self.spans()}

    def spans(self) -> Iterator[slice]:
        """The blocks."""
        every = range(0, len(self.feature_A), self.block)
        return (slice(at, min(at + self.block, len(self.feature_A))) for at in every)

    def weights(self, span: slice) -> Tensor:
        """How strongly each feature of a block fires on each picture [C, S]."""
        first, last = int(self.feature_A[span.start]), int(self.feature_A[span.stop - 1])
        feature_R = self.pool.feature_R
        at_R = ((feature_R >= first) & (feature_R <= last)).nonzero()[:, 0]
        place_R = self._place_F[feature_R[at_R].long()].long() - span.start
        picture_R = torch.searchsorted(self._ends_S, at_R, right=True)
        weight_CS = torch.zeros(span.stop - span.start, self.pictures)
        # A picture whose activations round to no unit at all fires nonetheless.
        weight_CS[place_R, picture_R] = self.pool.total_R[at_R].clamp(min=1).float()
        return weight_CS.to(self.device)

    def fires(self, span: slice) -> Tensor:
        """1 where a feature of a block fires on a picture, else 0 [C, S]."""
        bits_CS = (self._bits[span.start][..., None] >> self._bit_8) & 1
        return bits_CS.flatten(1)[:, : self.pictures].float()

    def _packed(self, weight_CS: Tensor) -> Tensor:
        """A bit for each picture [C, W]."""
        fires_CS = functional.pad(weight_CS > 0, (0, -self.pictures % 8))
        bits_CW8 = fires_CS.view(len(fires_CS), -1, 8).byte() << self._bit_8
        return bits_CW8.sum(-1, dtype=torch.uint8)


def related(pool: Pool, spec: IndexSpec, device: torch.device | str = "cpu") -> Related:
    """Negatives and neighbours of every feature."""
    firing, count = _Firing(pool, spec.features, device), spec.related
    shape = (spec.features, count)
    negative_FN, neighbour_FN = (torch.full(shape, -1, dtype=torch.int64) for _ in range(2))
    near_FN, share_FN = (torch.zeros(shape) for _ in range(2))
    if len(firing.feature_A):
        # Embeddings of one layer share a large common part that would make all of them near.
        centred_SE = (pool.embedding_SE - pool.embedding_SE.mean(0)).to(device)
        centred_SE = functional.normalize(centred_SE, dim=1)
        near = [
            _ranked(_nearness(firing.weights(span), centred_SE), count) for span in firing.spans()
        ]
        row_AN, near_FN[firing.feature_A] = _complete(near, count)
        place_AN, share_FN[firing.feature_A] = _complete(_sharing(firing, count), count)
        negative_FN[firing.feature_A] = _named(row_AN, pool.picture_S)
        neighbour_FN[firing.feature_A] = _named(place_AN, firing.feature_A)
    return Related(negative_FN, near_FN, neighbour_FN.int(), share_FN)


def _named(place_AN: Tensor, names: Tensor) -> Tensor:
    return names[place_AN.clamp(min=0)].masked_fill(place_AN < 0, -1)


def _nearness(weight_CS: Tensor, centred_SE: Tensor) -> Tensor:
    """The cosine of each silent picture with the mean of the firing ones, each by its strength."""
    own_CE = functional.normalize(weight_CS @ centred_SE, dim=1)
    return (own_CE @ centred_SE.T).masked_fill(weight_CS > 0, _NEVER)


def _sharing(firing: _Firing, count: int) -> list[_Ranked]:
    """The features that fire with each one, by blocks.

    Two blocks are compared once, for the features of both. Each still meets the others in their
    order: those before it as they come, those after it when it is its turn.
    """
    spans, best = list(firing.spans()), dict[int, _Ranked]()
    for at, rows in enumerate(spans):
        fires_CS = firing.fires(rows)
        for columns in spans[at:]:
            share_CG = _shares(firing, fires_CS, rows, columns)
            pairs = [(rows, columns, share_CG)]
            if rows != columns:
                pairs.append((columns, rows, share_CG.T.contiguous()))
            for own, others, score_CX in pairs:
                here = _ranked(score_CX, count)
                here = here._replace(column_CN=here.column_CN + others.start)
                best[own.start] = _better(best.get(own.start), here, count)
    return [best[span.start] for span in spans]


def _shares(firing: _Firing, fires_CS: Tensor, rows: slice, columns: slice) -> Tensor:
    """How many of the pictures of either feature are pictures of both (Jaccard's index)."""
    both_CG = fires_CS @ firing.fires(columns).T
    if rows == columns:
        both_CG.fill_diagonal_(0)
    either_CG = firing.count_A[rows, None] + firing.count_A[columns] - both_CG
    return (both_CG / either_CG).masked_fill_(both_CG == 0, _NEVER)
