"""Paints numbers that belong to boxes onto pixels.

Knows boxes; nothing of models or features. A box's number is spread evenly over its area, fractions
of pixels included, so that the map's sum is the numbers' sum wherever boxes lie in the picture.

Shapes: P boxes, H and W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor


def painted(amount_P: Tensor, box_P4: Tensor, size: tuple[int, int]) -> Tensor:
    """A map of a picture of this width and height [H, W]; boxes without area are left out."""
    width, height = size
    sides_P2 = box_P4[:, 2:] - box_P4[:, :2]
    seen_P = (sides_P2 > 0).all(1)  # a box of NaN has no sides
    density_P = amount_P[seen_P].double() / sides_P2[seen_P].double().prod(1)
    left, top, right, bottom = box_P4[seen_P].double().unbind(1)
    down_PH = _covered(top, bottom, height)
    across_PW = _covered(left, right, width)
    return ((down_PH * density_P[:, None]).T @ across_PW).float()


def _covered(start_P: Tensor, stop_P: Tensor, length: int) -> Tensor:
    """How much of each pixel of an axis each span covers [P, length]."""
    pixel = torch.arange(length, dtype=start_P.dtype)
    ends = torch.minimum(stop_P[:, None], pixel + 1)
    return (ends - torch.maximum(start_P[:, None], pixel)).clamp(min=0)
