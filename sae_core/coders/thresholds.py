"""Steps whose thresholds can learn: the straight-through gradients of JumpReLU coders.

A step has no slope; near the threshold, within a band, it is given one. Knows tensors only.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

BAND = 0.01
"""How wide the band about a threshold is, as a share of the threshold."""
NARROWEST = 1e-3


def band(threshold: Tensor) -> Tensor:
    """The width of the band about each threshold."""
    return (threshold.detach().abs() * BAND * 2).clamp(min=NARROWEST)


def _near(pre: Tensor, threshold: Tensor) -> Tensor:
    width = band(threshold)
    return ((pre - threshold).abs() < width / 2) / width


class _Jump(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        return pre * (pre > threshold)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        pre, threshold = ctx.saved_tensors
        return grads[0] * (pre > threshold), -threshold * _near(pre, threshold) * grads[0]


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        pre, threshold = ctx.saved_tensors
        return None, -_near(pre, threshold) * grads[0]


def jump(pre: Tensor, threshold: Tensor) -> Tensor:
    """The pre-activation where it is above the threshold, else zero."""
    return _Jump.apply(pre, threshold)


def step(pre: Tensor, threshold: Tensor) -> Tensor:
    """One where the pre-activation is above the threshold, else zero."""
    return _Step.apply(pre, threshold)
