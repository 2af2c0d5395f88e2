"""Which pictures look like a feature's own but leave it silent, and which features fire with it.

Both are found among the pictures of the pool only, so a feature that fires on none of them gets
neither: nothing is made up for it.

Shapes: F features, S pictures of the pool, E width of embeddings, C features of a chunk, N found.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from sae_core.index.pool import Pool
from sae_core.index.spec import IndexSpec

CHUNK = 1 << 24
"""How many scores exist at once."""
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
    """The columns with the highest scores, of equal ones the first; -1 where there are no more."""
    columns = score_CX.shape[1]
    # topk leaves ties to chance, so the column's number is made part of the score.
    bits = columns.bit_length()
    last_first = torch.arange(columns - 1, -1, -1, device=score_CX.device)
    key_CX = ((score_CX.double() * 2.0 ** (60 - bits)).round().long() << bits) + last_first
    column_CN = key_CX.topk(min(count, columns)).indices
    score_CN = score_CX.gather(1, column_CN)
    none_CN = score_CN == _NEVER
    missing = (0, count - score_CN.shape[1])
    return _Ranked(
        functional.pad(column_CN.masked_fill(none_CN, -1), missing, value=-1),
        functional.pad(score_CN.masked_fill(none_CN, 0), missing, value=0.0),
    )


def related(pool: Pool, spec: IndexSpec, device: torch.device | str = "cpu") -> Related:
    """Negatives and neighbours of every feature, a chunk of features at a time."""
    features, pictures = spec.features, len(pool.picture_S)
    weight_FS = torch.zeros(features, pictures, device=device)
    row_R = torch.arange(pictures).repeat_interleave(pool.fires_S).to(device)
    feature_R = pool.feature_R.long().to(device)
    # A picture whose activations round to no unit at all fires nonetheless.
    weight_FS[feature_R, row_R] = pool.total_R.clamp(min=1).float().to(device)
    fires_FS = (weight_FS > 0).float()
    # Embeddings of one layer share a large common part that would make all of them near.
    centred_SE = (pool.embedding_SE - pool.embedding_SE.mean(0)).to(device)
    centred_SE = functional.normalize(centred_SE, dim=1)

    found: list[tuple[_Ranked, _Ranked]] = []
    step = max(1, CHUNK // max(features, pictures))
    for at in range(0, features, step):
        rows = slice(at, at + step)
        near = _ranked(_nearness(weight_FS[rows], centred_SE), spec.related)
        found.append((near, _ranked(_shares(fires_FS, rows), spec.related)))
    negative_FN, near_FN = (torch.cat([part[0][i] for part in found]).cpu() for i in range(2))
    neighbour_FN, share_FN = (torch.cat([part[1][i] for part in found]).cpu() for i in range(2))
    number_FN = pool.picture_S[negative_FN.clamp(min=0)].masked_fill(negative_FN < 0, -1)
    return Related(number_FN, near_FN, neighbour_FN.int(), share_FN)


def _nearness(weight_CS: Tensor, centred_SE: Tensor) -> Tensor:
    """The cosine of each silent picture with the mean of the firing ones, each by its strength."""
    own_CE = functional.normalize(weight_CS @ centred_SE, dim=1)
    fires_CS = weight_CS > 0
    barred_CS = fires_CS | ~fires_CS.any(1, keepdim=True)
    return (own_CE @ centred_SE.T).masked_fill(barred_CS, _NEVER)


def _shares(fires_FS: Tensor, rows: slice) -> Tensor:
    """How many of the pictures of either feature are pictures of both (Jaccard's index)."""
    both_CF = fires_FS[rows] @ fires_FS.T
    count_F = fires_FS.sum(1)
    either_CF = count_F[rows, None] + count_F - both_CF
    barred_CF = both_CF == 0
    chunk = torch.arange(len(both_CF), device=both_CF.device)
    barred_CF[chunk, chunk + rows.start] = True
    return (both_CF / either_CF.clamp(min=1)).masked_fill(barred_CF, _NEVER)
