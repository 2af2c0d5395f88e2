"""Turns a feature's active cells into a highlighted picture, as the published pipeline does.

Knows grids and pixels; nothing of features or models. The grid may have any shape, but the cells of
a single row are taken for queries: each looks at all of the picture, and none has a place in it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

INACTIVE_ALPHA = 224
"""How much black, of 255, lies over inactive cells."""


def placed(grid: tuple[int, ...]) -> bool:
    """Whether a grid's cells lie beside each other in the picture; queries have no place there."""
    return grid[0] > 1


def lit_cells(active_RC: np.ndarray) -> np.ndarray:
    """The cells to show as active: where they have no place, all of them if any is."""
    return active_RC if placed(active_RC.shape) else np.full_like(active_RC, active_RC.any())


def shade_of(active_RC: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """How much black lies over each pixel, 0 to 255 [height, width]: cells, bilinearly enlarged."""
    cells = np.where(lit_cells(active_RC), 0, INACTIVE_ALPHA).astype(np.uint8)
    return np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR))


def highlighted(pixels_HW3: np.ndarray, active_RC: np.ndarray) -> np.ndarray:
    """The picture with inactive cells under black."""
    height, width = pixels_HW3.shape[:2]
    light = 1 - shade_of(active_RC, (width, height)).astype(np.float32)[..., None] / 255
    return (pixels_HW3 * light).round().astype(np.uint8)
