"""Which features of a row fire: the k largest, the largest of a batch, those over a threshold.

Knows pre-activations; nothing of weights. Looks at a chunk of rows at a time, so that nothing of
size [N, F] outlives it.

Shapes: N rows, K slots of a row, F features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK = 1 << 24
"""How many pre-activations may exist at once."""


class Picked(NamedTuple):
    """Pre-activations found, as numbers without a graph, and where."""

    found_NK: Tensor
    at_NK: Tensor


def rows_at_once(features: int) -> int:
    """How many rows make a chunk."""
    return max(1, CHUNK // features)


def largest(rows: int, k: int, features: int, chunk: Callable[[slice], Tensor]) -> Picked:
    """The k largest pre-activations of each row."""
    step, k = rows_at_once(features), min(k, features)
    parts = [chunk(slice(at, at + step)).topk(k, sorted=False) for at in range(0, rows, step)]
    return Picked(torch.cat([p.values for p in parts]), torch.cat([p.indices for p in parts]))


def largest_of_batch(rows: int, k: int, features: int, chunk: Callable[[slice], Tensor]) -> Picked:
    """The rows * k largest of all together. Rows are looked at deeper until none was cut short."""
    wanted, depth = min(rows * k, rows * features), min(4 * k, features)
    while True:
        found_NK, at_NK = largest(rows, depth, features, chunk)
        least = found_NK.reshape(-1).topk(wanted).values[-1] if wanted else found_NK.new_tensor(0)
        keep_NK = found_NK >= least
        if depth == features or not bool(keep_NK.all(1).any()):
            return Picked(found_NK.masked_fill(~keep_NK, 0), at_NK)
        depth = min(2 * depth, features)


def over(rows: int, threshold: Tensor, features: int, chunk: Callable[[slice], Tensor]) -> Picked:
    """Every pre-activation above its feature's threshold; rows are padded with zeros."""
    step = rows_at_once(features)
    parts: list[Picked] = []
    for at in range(0, rows, step):
        pre = chunk(slice(at, at + step))
        fires = pre > threshold
        slots = max(1, int(fires.sum(1).max()))
        found, where = pre.masked_fill(~fires, -torch.inf).topk(slots, sorted=False)
        parts.append(Picked(found.masked_fill(found == -torch.inf, 0), where))
    widest = max(part.found_NK.shape[1] for part in parts)
    pad = [(0, widest - part.found_NK.shape[1]) for part in parts]
    return Picked(
        *(
            torch.cat([torch.nn.functional.pad(p[i], by) for p, by in zip(parts, pad, strict=True)])
            for i in range(2)
        )
    )
