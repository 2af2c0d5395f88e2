"""The connected pieces of a mask.

Knows boolean masks; nothing of what they show. Cells that touch at a corner are connected.

Shapes: H x W the mask, P = H * W + 1 its cells and one for none.
"""

from __future__ import annotations

import numpy as np


def pieces(mask_HW: np.ndarray) -> list[np.ndarray]:
    """One mask for each connected piece, the largest first."""
    number_HW = np.arange(1, mask_HW.size + 1, dtype=np.int32).reshape(mask_HW.shape) * mask_HW
    while True:
        # Each cell takes the largest number among its neighbours, then the number that the cell
        # so numbered has by now: far ends of a piece meet in few rounds.
        spread_HW = _largest(_largest(number_HW).T).T * mask_HW
        taken_P = np.concatenate(([0], spread_HW.ravel()))
        spread_HW = taken_P[spread_HW]
        if np.array_equal(spread_HW, number_HW):
            break
        number_HW = spread_HW
    found = [number_HW == n for n in np.unique(number_HW) if n > 0]
    return sorted(found, key=np.count_nonzero, reverse=True)


def _largest(number_HW: np.ndarray) -> np.ndarray:
    """Of each cell and those above and below it."""
    found_HW = number_HW.copy()
    np.maximum(found_HW[1:], number_HW[:-1], out=found_HW[1:])
    np.maximum(found_HW[:-1], number_HW[1:], out=found_HW[:-1])
    return found_HW
