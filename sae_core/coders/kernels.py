"""The three sparse products on a GPU, as Triton kernels: nothing is gathered into [N, K, D].

Knows tensors on one GPU; sparse.py has the same products for CPUs and decides which are used. Sums
are made in float32 whatever the inputs are.

Shapes: N rows, K slots of a row, F features, D width, M = N * K pairs sorted by feature.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 256
"""Columns that one program sums."""
SLOTS = 16
"""Slots of a row whose products one program makes."""


@triton.jit
def _weighted_rows(values, indices, table, out, slots, width, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < width
    total = tl.zeros((BLOCK,), tl.float32)
    for slot in range(slots):
        feature = tl.load(indices + row * slots + slot)
        value = tl.load(values + row * slots + slot).to(tl.float32)
        total += value * tl.load(table + feature * width + at, inside, 0.0).to(tl.float32)
    tl.store(out + row * width + at, total, inside)


@triton.jit
def _row_products(x, indices, table, out, slots, width, SLOTS: tl.constexpr, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    slot = tl.program_id(1) * SLOTS + tl.arange(0, SLOTS)
    there = slot < slots
    feature = tl.load(indices + row * slots + slot, there, 0)
    total = tl.zeros((SLOTS,), tl.float32)
    for start in range(0, width, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < width
        mine = tl.load(x + row * width + at, inside, 0.0).to(tl.float32)
        both = there[:, None] & inside[None, :]
        rows = tl.load(table + feature[:, None] * width + at[None, :], both, 0.0).to(tl.float32)
        total += tl.sum(rows * mine[None, :], 1)
    tl.store(out + row * slots + slot, total, there)


@triton.jit
def _outer_sums(values, rows, starts, x, out, width, BLOCK: tl.constexpr):
    feature = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < width
    total = tl.zeros((BLOCK,), tl.float32)
    first = tl.load(starts + feature)
    last = tl.load(starts + feature + 1)
    for pair in range(first, last):
        row = tl.load(rows + pair)
        value = tl.load(values + pair).to(tl.float32)
        total += value * tl.load(x + row * width + at, inside, 0.0).to(tl.float32)
    tl.store(out + feature * width + at, total, inside)


def weighted_rows(values_NK: Tensor, indices_NK: Tensor, table_FD: Tensor) -> Tensor:
    """For each row the sum of its features' table rows, each times its value [N, D]."""
    (rows, slots), width = indices_NK.shape, table_FD.shape[1]
    out = table_FD.new_empty(rows, width)
    _weighted_rows[(rows, triton.cdiv(width, BLOCK))](
        values_NK.contiguous(), indices_NK.contiguous(), table_FD.contiguous(), out, slots, width,
        BLOCK=BLOCK,
    )  # fmt: skip
    return out


def row_products(x_ND: Tensor, indices_NK: Tensor, table_FD: Tensor) -> Tensor:
    """For each slot the product of its row with its feature's table row [N, K]."""
    (rows, slots), width = indices_NK.shape, table_FD.shape[1]
    out = table_FD.new_empty(rows, slots)
    _row_products[(rows, triton.cdiv(slots, SLOTS))](
        x_ND.contiguous(), indices_NK.contiguous(), table_FD.contiguous(), out, slots, width,
        SLOTS=SLOTS, BLOCK=BLOCK,
    )  # fmt: skip
    return out


def outer_sums(values_M: Tensor, rows_M: Tensor, starts_F1: Tensor, x_ND: Tensor) -> Tensor:
    """For each feature the sum of its pairs' rows, each times its value [F, D]."""
    features, width = len(starts_F1) - 1, x_ND.shape[1]
    out = x_ND.new_empty(features, width)
    _outer_sums[(features, triton.cdiv(width, BLOCK))](
        values_M, rows_M, starts_F1, x_ND.contiguous(), out, width, BLOCK=BLOCK
    )
    return out


def here(tensor: Tensor) -> bool:
    """Whether these kernels can run on a tensor."""
    return tensor.is_cuda and torch.cuda.get_device_capability(tensor.device) >= (7, 0)
