"""Which features of a row fire: the k largest, the largest of a batch, those over a threshold.

Knows pre-activations; nothing of weights. Looks at a chunk of rows at a time, so that nothing of
size [N, F] outlives it.

Shapes: N rows, R pieces of rows, K slots of a row or piece, F features, M found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK, GPU_CHUNK = 1 << 24, 1 << 29
"""How many pre-activations may exist at once, on a CPU and on a GPU, which has the memory for more
and loses time where its products are small."""


DEEPER = 4
"""How many times k of each row a first look at a batch takes."""
WIDER = 8
"""How many times as many slots as fire on average a row has at most; what fires more is cut into
pieces. So slots are bounded by what fires, however unevenly it does."""


class Chunk:
    """Pre-activations of some rows, made when they are asked for.

    Under autocast the weights are converted once, here, and not again for every chunk.
    """

    def __init__(
        self,
        ready_ND: Tensor,
        weight_FD: Tensor,
        bias_F: Tensor,
        change: Callable[[Tensor, slice | Tensor], Tensor] | None = None,
    ) -> None:
        kind = ready_ND.device.type
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
            ready_ND, weight_FD, bias_F = (t.to(dtype) for t in (ready_ND, weight_FD, bias_F))
        self.ready_ND, self.weight_FD, self.bias_F = ready_ND, weight_FD, bias_F
        self.device, self.change = ready_ND.device, change

    def __call__(self, rows: slice | Tensor) -> Tensor:
        """Those of some rows [n, F]."""
        pre_NF = torch.addmm(self.bias_F, self.ready_ND[rows], self.weight_FD.T)
        return self.change(pre_NF, rows) if self.change else pre_NF


class Picked(NamedTuple):
    """Pre-activations found, as numbers without a graph, and where."""

    found_NK: Tensor
    at_NK: Tensor


class Pieces(NamedTuple):
    """The same, where rows that fire much may be cut into pieces."""

    found_RK: Tensor
    at_RK: Tensor
    row_R: Tensor | None
    """The row of each piece, in order and none left out; None where no row is cut."""


def rows_at_once(features: int, device: torch.device | None = None) -> int:
    """How many rows make a chunk."""
    roomy = device is not None and device.type == "cuda"
    return max(1, (GPU_CHUNK if roomy else CHUNK) // max(1, features))


def largest(rows: int, k: int, features: int, chunk: Chunk) -> Picked:
    """The k largest pre-activations of each row."""
    k = min(k, features)
    parts = [chunk(span).topk(k, sorted=False) for span in _spans(rows, features, chunk)]
    return Picked(torch.cat([p.values for p in parts]), torch.cat([p.indices for p in parts]))


def largest_of_batch(rows: int, k: int, features: int, chunk: Chunk) -> Pieces:
    """The rows * k largest of all together, as far as they are positive.

    A first look takes a few times k of each row. Rows of which all of those may belong to the
    largest, and so perhaps more, are looked at again and in full.
    """
    wanted = rows * min(k, features)
    first = largest(rows, DEEPER * k, features, chunk)
    least = first.found_NK.reshape(-1).topk(wanted).values.min().clamp(min=0)
    cut_N = (first.found_NK >= least).all(1) & (first.found_NK.shape[1] < features)
    parts = [_flat(first.found_NK, (first.found_NK >= least) & ~cut_N[:, None], first.at_NK)]
    again = cut_N.nonzero()[:, 0]
    for span in _spans(len(again), features, chunk):
        found = _hits(chunk(again[span]), least)
        parts.append(found._replace(row_M=again[span][found.row_M]))
    all_ = _Flat(*(torch.cat(column) for column in zip(*parts, strict=True)))
    if len(all_.value_M) > wanted:
        best = all_.value_M.topk(wanted).indices
        all_ = _Flat(*(column[best] for column in all_))
    return _packed(all_, rows)


def over(rows: int, threshold: Tensor, features: int, chunk: Chunk) -> Pieces:
    """Every pre-activation above its feature's threshold."""
    parts = []
    for span in _spans(rows, features, chunk):
        found = _hits(chunk(span), threshold, above=True)
        parts.append(found._replace(row_M=found.row_M + span.start))
    return _packed(_Flat(*(torch.cat(column) for column in zip(*parts, strict=True))), rows)


def kept(found: Pieces, keep_RK: Tensor, rows: int) -> Pieces:
    """Some of what was found, packed anew: dropped slots cost nothing any more."""
    part = _flat(found.found_RK, keep_RK, found.at_RK)
    if found.row_R is not None:
        part = part._replace(row_M=found.row_R[part.row_M])
    return _packed(part, rows)


class _Flat(NamedTuple):
    """Positive pre-activations one after the other: of which row, how large, of which feature."""

    row_M: Tensor
    value_M: Tensor
    at_M: Tensor


def _flat(found_NK: Tensor, keep_NK: Tensor, at_NK: Tensor) -> _Flat:
    row_M, slot_M = (keep_NK & (found_NK > 0)).nonzero(as_tuple=True)
    return _Flat(row_M, found_NK[row_M, slot_M], at_NK[row_M, slot_M])


def _hits(pre_NF: Tensor, least: Tensor, *, above: bool = False) -> _Flat:
    high_NF = pre_NF > least if above else pre_NF >= least
    row_M, at_M = (high_NF & (pre_NF > 0)).nonzero(as_tuple=True)
    return _Flat(row_M, pre_NF[row_M, at_M], at_M)


def _packed(found: _Flat, rows: int) -> Pieces:
    """As rows of slots, padded with zeros to the widest, or as pieces of rows."""
    order = found.row_M.argsort(stable=True)
    row_M, value_M, at_M = (column[order] for column in found)
    counts_N = torch.bincount(row_M, minlength=rows)
    widest, most = int(counts_N.max()), WIDER * math.ceil(len(row_M) / rows)
    width = max(1, min(widest, most))
    pieces_N = (counts_N + width - 1).div(width, rounding_mode="floor").clamp(min=1)
    first_N = pieces_N.cumsum(0) - pieces_N
    starts_N = counts_N.cumsum(0) - counts_N
    place_M = torch.arange(len(row_M), device=row_M.device) - starts_N[row_M]
    piece_M = first_N[row_M] + place_M.div(width, rounding_mode="floor")
    shape, slot = (int(pieces_N.sum()), width), (piece_M, place_M % width)
    row_R = torch.arange(rows, device=row_M.device).repeat_interleave(pieces_N)
    return Pieces(
        value_M.new_zeros(shape).index_put_(slot, value_M),
        at_M.new_zeros(shape).index_put_(slot, at_M),
        row_R if widest > width else None,
    )


def _spans(rows: int, features: int, chunk: Chunk) -> Iterator[slice]:
    step = rows_at_once(features, chunk.device)
    return (slice(at, min(at + step, rows)) for at in range(0, rows, step))
