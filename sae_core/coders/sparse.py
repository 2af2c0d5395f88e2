"""Sparse codes, and the products of training that touch only what fired.

A code keeps, for each of N rows, at most K features. Decoding it and both gradients cost N * K * D,
never N * F * D: a peer's trainer spends most of a step on products with zeros. Knows tensors only.

Shapes: N rows, K slots of a row, F features, D width.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


class Code(NamedTuple):
    """What fired in each row. A slot whose value is zero is empty, whatever its index says."""

    values_NK: Tensor
    indices_NK: Tensor

    def fired(self) -> Tensor:
        """Which slots hold a feature that fired."""
        return self.values_NK > 0

    def of(self, features: Tensor) -> Tensor:
        """The values of some features, zeros included [N, len(features)]."""
        found = self.indices_NK[..., None] == features
        return (found * self.values_NK[..., None]).sum(-2)

    def dense(self, features: int) -> Tensor:
        """All features' values [N, F]; for tests and small coders."""
        empty = self.values_NK.new_zeros(*self.values_NK.shape[:-1], features)
        return empty.scatter_add(-1, self.indices_NK, self.values_NK)

    def only(self, keep_NK: Tensor) -> Code:
        """The same code with other slots emptied."""
        return Code(self.values_NK * keep_NK, self.indices_NK)


def weighted_rows(values_NK: Tensor, indices_NK: Tensor, table_FD: Tensor) -> Tensor:
    """For each row the sum of its features' table rows, each times its value [N, D]."""
    if fused := _kernels(table_FD):
        return fused.weighted_rows(values_NK, indices_NK, table_FD)
    return F.embedding_bag(
        indices_NK, table_FD, per_sample_weights=values_NK.to(table_FD.dtype), mode="sum"
    )


def row_products(x_ND: Tensor, indices_NK: Tensor, table_FD: Tensor) -> Tensor:
    """For each slot the product of its row with its feature's table row [N, K]."""
    if fused := _kernels(table_FD):
        return fused.row_products(x_ND.to(table_FD.dtype), indices_NK, table_FD)
    # embedding_bag's own gradient makes these products without gathering [N, K, D].
    with torch.enable_grad():
        weights = torch.zeros_like(indices_NK, dtype=table_FD.dtype, requires_grad=True)
        bags = F.embedding_bag(
            indices_NK, table_FD.detach(), per_sample_weights=weights, mode="sum"
        )
        (products,) = torch.autograd.grad(bags, weights, x_ND.to(table_FD.dtype))
    return products


def outer_sums(values_NK: Tensor, indices_NK: Tensor, x_ND: Tensor, features: int) -> Tensor:
    """For each feature the sum of the rows in which it fired, each times its value [F, D]."""
    flat = indices_NK.reshape(-1)
    order = _order(flat, features)
    rows_M = order // indices_NK.shape[1]
    values_M = values_NK.reshape(-1)[order].to(x_ND.dtype)
    starts = F.pad(torch.bincount(flat, minlength=features).cumsum(0), (1, 0))
    if fused := _kernels(x_ND):
        return fused.outer_sums(values_M, rows_M, starts, x_ND)
    return F.embedding_bag(rows_M, x_ND, starts[:-1], per_sample_weights=values_M, mode="sum")


def _order(flat: Tensor, features: int) -> Tensor:
    """What sorts feature numbers.

    On a CPU by NumPy's counting sort of 16-bit numbers, low halves first: torch's sort of 64-bit
    ones takes a hundred times as long on two threads.
    """
    if flat.is_cuda:
        return flat.argsort()
    numbers = flat.numpy()
    order = numbers.astype(np.uint16).argsort(kind="stable")
    if features > 1 << 16:
        high = (numbers[order] >> 16).astype(np.uint16)
        order = order[high.argsort(kind="stable")]
    return torch.from_numpy(order)


def _kernels(tensor: Tensor) -> ModuleType | None:
    """The GPU's kernels, where the tensor is on one that has them; Triton comes with its torch."""
    if not tensor.is_cuda:
        return None
    try:
        from sae_core.coders import kernels
    except ImportError:
        return None
    return kernels if kernels.here(tensor) else None


def pieced(code: Code, row_R: Tensor | None) -> Code:
    """The code of rows that were cut into pieces, each in one piece again, padded to the widest."""
    if row_R is None:
        return code
    pieces_N = row_R.bincount()
    first_N = pieces_N.cumsum(0) - pieces_N
    place = (row_R, torch.arange(len(row_R), device=row_R.device) - first_N[row_R])
    shape = (len(pieces_N), int(pieces_N.max()), code.values_NK.shape[1])
    return Code(*(part.new_zeros(shape).index_put(place, part).flatten(1) for part in code))


def summed(made_RD: Tensor, row_R: Tensor | None) -> Tensor:
    """The sum of what each row's pieces stand for [N, D]."""
    if row_R is None:
        return made_RD
    return made_RD.new_zeros(int(row_R[-1]) + 1, made_RD.shape[1]).index_add(0, row_R, made_RD)


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values_NK: Tensor, indices_NK: Tensor, table_FD: Tensor) -> Tensor:
        ctx.save_for_backward(values_NK, indices_NK, table_FD)
        return weighted_rows(values_NK, indices_NK, table_FD)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values_NK, indices_NK, table_FD = ctx.saved_tensors
        grad_ND = grads[0].contiguous()
        to_values = to_table = None
        if ctx.needs_input_grad[0]:
            to_values = row_products(grad_ND, indices_NK, table_FD).to(values_NK.dtype)
        if ctx.needs_input_grad[2]:
            to_table = outer_sums(values_NK, indices_NK, grad_ND, len(table_FD)).to(table_FD.dtype)
        return to_values, None, to_table


class _Preactivate(torch.autograd.Function):
    """Pre-activations of chosen features, whose values were found without a graph before."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        x_ND, weight_FD, _, found_NK, at_NK = given
        ctx.save_for_backward(x_ND, weight_FD, at_NK)
        return found_NK.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x_ND, weight_FD, at_NK = ctx.saved_tensors
        grad_NK = grads[0].contiguous()
        to_x = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_x = weighted_rows(grad_NK, at_NK, weight_FD).to(x_ND.dtype)
        if ctx.needs_input_grad[1]:
            to_weight = outer_sums(grad_NK, at_NK, x_ND, len(weight_FD)).to(weight_FD.dtype)
        if ctx.needs_input_grad[2]:
            # Not in the gradient's own precision: half precision stops growing after a few hundred.
            empty = torch.zeros_like(weight_FD[:, 0])
            to_bias = empty.index_add(0, at_NK.reshape(-1), grad_NK.reshape(-1).to(empty.dtype))
        return to_x, to_weight, to_bias, None, None


def decoded(code: Code, table_FD: Tensor) -> Tensor:
    """The sum of the decoder rows of what fired; gradients reach values and table [N, D]."""
    return _Decode.apply(code.values_NK, code.indices_NK, table_FD)


def preactivations(
    x_ND: Tensor, weight_FD: Tensor, bias_F: Tensor, found_NK: Tensor, at_NK: Tensor
) -> Tensor:
    """Attach gradients to pre-activations that a selection has found."""
    return _Preactivate.apply(x_ND, weight_FD, bias_F, found_NK, at_NK)
