"""The pictures drawn by chance among which a feature's negatives and neighbours are looked for.

Shapes: S pictures, E width of their embeddings, R pairs of a picture and a feature that fires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.index_draw import lots
from sae_core.index_spec import IndexSpec


class Pool(NamedTuple):
    """Pictures, what each is like, and what fires on each; both sorted by picture."""

    picture_S: Tensor
    """int64"""
    embedding_SE: Tensor
    """float32"""
    picture_R: Tensor
    """int64"""
    feature_R: Tensor
    """int32"""
    total_R: Tensor
    """int64, the sum of the feature's activations in index_stats.UNIT"""


def drawn(pools: Sequence[Pool], spec: IndexSpec) -> Pool:
    """The pictures of several disjoint pools that have the smallest lots."""
    pool = Pool(*(torch.cat(parts) for parts in zip(*pools, strict=True)))
    order = pool.picture_S.argsort()
    first = lots(spec.seed, pool.picture_S[order]).argsort(stable=True)[: spec.pool]
    rows = order[first.sort().values]
    inside = torch.isin(pool.picture_R, pool.picture_S[rows]).nonzero()[:, 0]
    inside = inside[pool.feature_R[inside].argsort(stable=True)]
    inside = inside[pool.picture_R[inside].argsort(stable=True)]
    return Pool(
        pool.picture_S[rows],
        pool.embedding_SE[rows],
        *(part[inside] for part in (pool.picture_R, pool.feature_R, pool.total_R)),
    )
