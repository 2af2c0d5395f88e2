"""What a sparse coder is trained on: unexplained variance, dead features, thresholds, nestedness.

Knows one batch; nothing of steps or optimisers.

Shapes: N rows, K slots of a row, F features, D width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.coders.coder import Fired, Norms, SparseCoder
from sae_core.coders.selection import Chunk, largest
from sae_core.coders.sparse import Code, decoded, preactivations, summed
from sae_core.coders.thresholds import step

AUX_WEIGHT = 1 / 32
SPARSITY_WEIGHT = 0.1


class Loss(NamedTuple):
    """What is minimised, its parts, and what fired."""

    total: Tensor
    fvu: Tensor
    aux: Tensor
    sparsity: Tensor
    l0: Tensor
    """How many features fire in a row, on average."""
    code: Code
    """Rows that fire much may be cut into pieces."""


def variance(x_ND: Tensor) -> Tensor:
    """The sum of squares about the batch's mean."""
    return (x_ND - x_ND.mean(0)).square().sum()


def fvu(x_ND: Tensor, made_ND: Tensor) -> Tensor:
    """The fraction of variance that a reconstruction leaves unexplained."""
    return (x_ND - made_ND).square().sum() / variance(x_ND).clamp(min=1e-12)


def loss_of(coder: SparseCoder, x_ND: Tensor, dead_F: Tensor | None = None) -> Loss:
    """The loss of a batch; with dead_F, features said to be dead are also taught the residual."""
    ready_ND, norms = coder.prepared(x_ND)
    fired = coder.fire(ready_ND)
    code = fired.code
    x_ND = x_ND.to(ready_ND.dtype)
    made_ND = coder.decode(code, norms, fired.row_R)
    main = fvu(x_ND, made_ND)
    total = main
    if coder.config.groups:
        total = torch.stack([main, *_nested(coder, x_ND, fired, norms)]).mean()
    none = main.new_zeros(())
    aux, sparsity = none, none
    if dead_F is not None and (dead := int(coder.over_all(dead_F.sum()))):
        # In the encoder's units: the residual of a normalised row is normalised too.
        left_ND = (ready_ND - coder.unprepared(made_ND, norms)).detach()
        k = min(dead, max(1, coder.width // 2))
        made_ND = coder.over_all(_made_by_dead(coder, ready_ND, dead_F, k))
        aux = (left_ND - made_ND).square().sum() / left_ND.square().sum().clamp(min=1e-12)
    if coder.config.rule == "jumprelu" and coder.config.k:
        pre_NK = fired.pre_NK
        counted_NK = step(pre_NK.detach(), coder.threshold[code.indices_NK]) * (pre_NK > 0)
        counted = coder.over_all(counted_NK.sum())
        sparsity = (counted / (len(x_ND) * coder.config.k) - 1).square()
    total = total + AUX_WEIGHT * aux + SPARSITY_WEIGHT * sparsity
    l0 = coder.over_all(code.fired().sum()) / len(x_ND)
    return Loss(total, main, aux, sparsity, l0, code)


def _nested(
    coder: SparseCoder, x_ND: Tensor, fired: Fired, norms: Norms | None
) -> Iterator[Tensor]:
    """What each smaller dictionary leaves unexplained when it is alone."""
    code = fired.code
    for size in coder.config.groups[:-1]:
        alone = code.only(code.indices_NK < size - coder.first)
        yield fvu(x_ND, coder.decode(alone, norms, fired.row_R))


def _made_by_dead(coder: SparseCoder, ready_ND: Tensor, dead_F: Tensor, k: int) -> Tensor:
    """What the k strongest dead features of each row make: the residual is to be (Gao et al.).

    The residual is a constant; of features, gradients reach the dead ones alone.
    """
    dead = dead_F.nonzero()[:, 0]
    weight_ED, bias_E = coder.W_enc[dead], coder.b_enc[dead]
    with torch.no_grad():
        mine = largest(len(ready_ND), k, len(dead), Chunk(ready_ND, weight_ED, bias_E))
        found_RK, at_RK, row_R = coder.strongest(mine, k)
    if not len(dead):
        return torch.zeros_like(ready_ND)
    own_RD = ready_ND if row_R is None else ready_ND[row_R]
    pre_RK = preactivations(own_RD, weight_ED, bias_E, found_RK, at_RK)
    return summed(decoded(Code(pre_RK.relu(), at_RK), coder.W_dec[dead]), row_R)


@torch.no_grad()
def geometric_median(x_ND: Tensor, rounds: int = 64, close: float = 1e-5) -> Tensor:
    """The point with the least summed distance to all rows, by Weiszfeld's iteration."""
    guess = x_ND.mean(0)
    for _ in range(rounds):
        near = 1 / (x_ND - guess).norm(dim=1).clamp(min=1e-8)
        better = (near[:, None] * x_ND).sum(0) / near.sum()
        if (better - guess).norm() <= close * guess.norm().clamp(min=1e-8):
            return better
        guess = better
    return guess


def usual_rate(features: int) -> float:
    """The learning rate that goes with a dictionary's size: 2e-4 at 16,384 features."""
    return 2e-4 / math.sqrt(features / 2**14)
