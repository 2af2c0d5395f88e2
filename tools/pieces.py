"""The connected pieces of a mask.

Knows boolean masks; nothing of what they show. Cells that touch at a corner are connected.

Shapes: H x W the mask.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F


def pieces(mask_HW: np.ndarray) -> list[np.ndarray]:
    """One mask for each connected piece, the largest first."""
    lit_HW = torch.from_numpy(np.ascontiguousarray(mask_HW)).double()
    # Each pixel takes the largest number among its neighbours until none changes.
    number_HW = torch.arange(1.0, lit_HW.numel() + 1, dtype=torch.float64).view_as(lit_HW) * lit_HW
    while True:
        spread_HW = F.max_pool2d(number_HW[None], 3, stride=1, padding=1)[0] * lit_HW
        if torch.equal(spread_HW, number_HW):
            break
        number_HW = spread_HW
    found = [(number_HW == n).numpy() for n in number_HW.unique().tolist() if n > 0]
    return sorted(found, key=np.count_nonzero, reverse=True)
