"""Which pixels a feature lights, from its patch map: as published, or without the bleed.

Shapes: R x C the base grid, H x W the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from sae_core.masks import lit_cells, shade_of

ACTIVE = 1e-5
"""From here on the published pipeline calls a cell active."""


def paper_mask(map_RC: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mode `paper`: how much black lies over each pixel; the published region is below 224 [H, W].

    The size is (width, height). Enlarged bilinearly, so the region is wider than its cells.
    """
    return shade_of(map_RC >= ACTIVE, size)


def strict_mask(map_RC: np.ndarray, size: tuple[int, int], level: float = 0.0) -> np.ndarray:
    """Mode `strict`: the pixels of the cells that fire at the level or above, no others [H, W].

    The level may come from a quantile: FeatureRecord.level. The size is (width, height).
    """
    lit_RC = lit_cells((map_RC > 0) & (map_RC >= level))
    enlarged = Image.fromarray(lit_RC.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
    return np.asarray(enlarged).astype(bool)
