"""Shows where a feature fires in a picture: as the paper does, or more clearly for people.

`paper` keeps the picture's own size, since models are asked about it; the other styles enlarge
small pictures, since people look at them. Knows sightings and pixels; nothing of labels.

Shapes: R x C the grid, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from sae_core.index.masks import ACTIVE, strict_mask
from sae_core.masks import highlighted, placed
from tools.evidence import Evidence, Sighting
from tools.failures import WontWork
from tools.lab import Lab
from tools.regions import Box, box_of

Style = Literal["paper", "heat", "outline", "crop"]
"""`paper` puts black over all but the active cells, `heat` colours cells by activation, `outline`
draws a line around the active cells, `crop` cuts out the box around them."""
LARGE = 384
"""People see at least so many pixels of the shorter side."""
MARGIN = 0.1
"""How much of a crop's longer side is shown around its box."""
DIMMED = 0.36
"""The light that is left in a picture beside the colours of a heat map."""
SHADED = 0.5
"""The light that these colours keep where the picture is black."""
WARMTH = np.array(
    [(110, 80, 190), (190, 75, 165), (240, 110, 95), (252, 175, 70), (254, 244, 150)], np.float32
)
"""From weak to strong. The weakest is lighter than any dimmed picture, and lightness rises all the
way, so that the colour-blind can read it too."""
LINE, EDGE = (255, 255, 255), (0, 0, 0)
"""A contour is a light line between dark ones, so that it shows on any ground."""


class _Place(NamedTuple):
    """What a style sees."""

    pixels_HW3: np.ndarray
    map_RC: np.ndarray
    level: float
    peak: float
    """The largest activation that the map's scale reaches."""


def masked(
    lab: Lab,
    evidence: Evidence,
    sighting: Sighting,
    style: Style = "paper",
    level: float | None = None,
) -> Image.Image:
    """A sighting's picture with the cells at this level or above shown, by default the style's."""
    picture = shown(lab, evidence, sighting).convert("RGB")
    if style != "paper":
        picture = _enlarged(picture)
    place = _Place(
        np.asarray(picture),
        sighting.map_RC(evidence.grid),
        usual_level(evidence, style) if level is None else level,
        max(evidence.peak, sighting.peak),
    )
    return Image.fromarray(_STYLES[style](place))


def shown(lab: Lab, evidence: Evidence, sighting: Sighting) -> Image.Image:
    """A sighting's picture as it is, if the evidence is of the lab's own pictures."""
    check_pictures(lab, evidence)
    return lab.picture(evidence.split, sighting.picture)


def check_pictures(lab: Lab, evidence: Evidence) -> None:
    """Refuse evidence of other pictures than the lab's."""
    pictures = lab.pictures(evidence.split)
    if pictures.digest != evidence.pictures:
        raise WontWork(
            f"The evidence is of pictures {evidence.pictures[:12]}, {evidence.split} has "
            f"{pictures.digest[:12]} now. Gather it anew with top_images"
        )


def usual_level(evidence: Evidence, style: Style) -> float:
    """From where on a style shows a cell: the paper's 1e-5, or where `strict` begins."""
    return evidence.level if style in ("outline", "crop") else ACTIVE


def active(map_RC: np.ndarray, level: float) -> np.ndarray:
    """The cells that fire at the level or above [R, C]."""
    return (map_RC > 0) & (map_RC >= level)


def _enlarged(picture: Image.Image) -> Image.Image:
    """By a whole factor, so that the borders of cells stay sharp."""
    factor = max(1, -(-LARGE // min(picture.size)))
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.BICUBIC)


def _paper(place: _Place) -> np.ndarray:
    return highlighted(place.pixels_HW3, active(place.map_RC, place.level))


def _heat(place: _Place) -> np.ndarray:
    """Grey where the feature is silent; the stronger it fires, the more colour covers the grey."""
    height, width = place.pixels_HW3.shape[:2]
    cells_RC = np.where(active(place.map_RC, place.level), place.map_RC, 0) / (place.peak or 1)
    if not placed(cells_RC.shape):
        cells_RC = np.full_like(cells_RC, cells_RC.max())
    enlarged = Image.fromarray(cells_RC.astype(np.float32))
    strength_HW = np.asarray(enlarged.resize((width, height), Image.Resampling.BILINEAR))
    strength_HW = strength_HW.clip(0, 1)
    at_HW = strength_HW * (len(WARMTH) - 1)
    low_HW = np.minimum(at_HW.astype(int), len(WARMTH) - 2)
    colour_HW3 = WARMTH[low_HW] + (at_HW - low_HW)[..., None] * (
        WARMTH[low_HW + 1] - WARMTH[low_HW]
    )
    light_HW1 = place.pixels_HW3.mean(2, keepdims=True) / 255
    # What is there stays to be seen under the colour, as its light and dark.
    colour_HW3 *= SHADED + (1 - SHADED) * light_HW1
    cover_HW1 = np.sqrt(strength_HW)[..., None]
    mixed_HW3 = 255 * DIMMED * light_HW1 * (1 - cover_HW1) + colour_HW3 * cover_HW1
    return mixed_HW3.round().astype(np.uint8)


def _outline(place: _Place) -> np.ndarray:
    height, width = place.pixels_HW3.shape[:2]
    lit_HW = strict_mask(place.map_RC, (width, height), place.level)
    thick = max(1, min(height, width) // 128)
    inner = lit_HW & ~_shrunk(lit_HW, thick)
    outer = (lit_HW & ~_shrunk(lit_HW, 2 * thick)) | (~lit_HW & ~_shrunk(~lit_HW, thick))
    out_HW3 = place.pixels_HW3.copy()
    out_HW3[outer] = EDGE
    out_HW3[inner] = LINE
    return out_HW3


def _shrunk(mask_HW: np.ndarray, by: int) -> np.ndarray:
    """A mask without a border of so many pixels; the picture's own border is none."""
    for _ in range(by):
        wide = np.pad(mask_HW, 1, mode="edge")
        rows = wide[:-2] & wide[1:-1] & wide[2:]
        mask_HW = rows[:, :-2] & rows[:, 1:-1] & rows[:, 2:]
    return mask_HW


def _crop(place: _Place) -> np.ndarray:
    """The box with a margin; of a silent picture all of it."""
    height, width = place.pixels_HW3.shape[:2]
    # A weak sighting may have no cell at the level: then its strongest ones are shown.
    level = min(place.level, float(place.map_RC.max()))
    lit_HW = strict_mask(place.map_RC, (width, height), level)
    if not lit_HW.any():
        return place.pixels_HW3
    box = box_of(lit_HW)
    margin = round(MARGIN * max(box.right - box.left, box.bottom - box.top))
    wide = Box(
        max(0, box.left - margin),
        max(0, box.top - margin),
        min(width, box.right + margin),
        min(height, box.bottom + margin),
    )
    return place.pixels_HW3[wide.top : wide.bottom, wide.left : wide.right]


_STYLES: dict[Style, Callable[[_Place], np.ndarray]] = {
    "paper": _paper,
    "heat": _heat,
    "outline": _outline,
    "crop": _crop,
}
