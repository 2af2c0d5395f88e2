"""Rows of different lengths, kept one after the other in one long tensor.

Shapes: M rows, C items of all rows.
"""

from __future__ import annotations

import torch
from torch import Tensor


def items_of(length_M: Tensor, rows: Tensor) -> Tensor:
    """Where the items of some rows lie, row after row in the order asked for."""
    starts = length_M.long().cumsum(0) - length_M
    length = length_M[rows]
    ends = length.long().cumsum(0)
    shift = (starts[rows] - (ends - length)).repeat_interleave(length)
    return shift.add_(torch.arange(len(shift)))
