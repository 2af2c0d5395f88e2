"""Paints scores for and against onto a picture: orange speaks for, blue against.

The two colours are told apart by the colour-blind too. Knows maps; nothing of features.

Shapes: H x W the picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

FOR, AGAINST = (230, 159, 0), (0, 114, 178)
DIMMED = 0.5
"""How bright the picture is under the heat, without its colours."""
STRONGEST = 0.9
"""How opaque the largest score is; smaller ones in proportion."""


def overlaid(picture: Image.Image, heat_HW: np.ndarray) -> Image.Image:
    """The picture in grey with a signed map over it; the largest score, either way, is opaque."""
    grey_HW1 = np.asarray(picture.convert("L"), np.float32)[..., None] * DIMMED
    largest = float(np.abs(heat_HW).max())
    share_HW1 = (np.abs(heat_HW) / largest if largest > 0 else 0 * heat_HW)[..., None] * STRONGEST
    colour_HW3 = np.where(heat_HW[..., None] > 0, np.array(FOR), np.array(AGAINST))
    mixed_HW3 = grey_HW1 * (1 - share_HW1) + colour_HW3 * share_HW1
    return Image.fromarray(mixed_HW3.round().astype(np.uint8))
