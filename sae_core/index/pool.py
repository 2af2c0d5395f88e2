"""The pictures drawn by chance among which a feature's negatives and neighbours are looked for.

Shapes: S pictures, E width of their embeddings, R pairs of a picture and a feature that fires, one
picture's after the other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.index.draw import lots
from sae_core.index.ragged import items_of
from sae_core.index.spec import IndexSpec


class Pool(NamedTuple):
    """Pictures by number, what each is like, and what fires on each."""

    picture_S: Tensor
    """int64"""
    embedding_SE: Tensor
    """float32"""
    fires_S: Tensor
    """int32, how many features fire"""
    feature_R: Tensor
    """int32"""
    total_R: Tensor
    """int64, the sum of the feature's activations in stats.UNIT"""

    def take(self, rows: Tensor) -> Pool:
        """Some of the pictures, in the order asked for."""
        at_R = items_of(self.fires_S, rows)
        pictures = (part[rows] for part in self[:3])
        return Pool(*pictures, feature_R=self.feature_R[at_R], total_R=self.total_R[at_R])


def drawn(pools: Sequence[Pool], spec: IndexSpec) -> Pool:
    """The pictures of several disjoint pools that have the smallest lots."""
    pool = Pool(*(torch.cat(parts) for parts in zip(*pools, strict=True)))
    order = pool.picture_S.argsort()
    first = lots(spec.seed, pool.picture_S[order]).argsort(stable=True)[: spec.pool]
    return pool.take(order[first.sort().values])
