"""Changed pictures, to see whether a feature cares about a place, its colour or its texture.

Each edit changes pixels of a region and none outside of it; only mirroring moves the whole
picture. The control of an edit is the same edit on `regions.elsewhere`.

Knows pictures and regions; nothing of features. The same seed makes the same picture. Sizes of
blurs and tiles follow from the picture's and the region's own.

Shapes: H x W the picture, N tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from sae_core.errors import UserError
from tools.regions import Box, box_of, checked

MODES = ("L", "RGB", "RGBA")
"""Modes whose colours can be changed in one place only; of RGBA the alpha stays as it is."""
GREY = 128
NEARBY = 16
"""The surroundings, and a blur, reach this part of the picture's shorter side."""
TILES = 4
"""A texture is cut into tiles of about this part of the region's width."""
LEAST_TURN = 43
"""Hues turn by at least this much of 256, a sixth of the circle, either way."""


class Edit(StrEnum):
    """What can be done to a region of one picture."""

    OCCLUDE = "occlude"
    """under the mean colour of what surrounds it"""
    OCCLUDE_GREY = "occlude_grey"
    OCCLUDE_NOISE = "occlude_noise"
    RECOLOUR = "recolour"
    """hues turned by a random angle, light and dark as they were"""
    GREY = "grey"
    """without colour"""
    BLUR = "blur"
    SHUFFLE = "shuffle"
    """its tiles in another order: the same texture and colours, no shape"""
    MIRROR = "mirror"
    """the whole picture, left and right exchanged"""


class Changed(NamedTuple):
    """A changed picture, and where it was changed."""

    picture: Image.Image
    region: np.ndarray


class _Place(NamedTuple):
    """What an edit sees."""

    pixels_HW3: np.ndarray
    region: np.ndarray
    rng: np.random.Generator


def changed(picture: Image.Image, region: np.ndarray, edit: Edit, seed: int = 0) -> Changed:
    """Apply an edit; the picture given is left as it was."""
    pixels_HW3 = _colours(picture)
    checked(region, picture.size)
    if edit is Edit.MIRROR:
        mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mirrored.info = dict(picture.info)
        return Changed(mirrored, region[:, ::-1].copy())
    place = _Place(pixels_HW3, region, np.random.default_rng(seed))
    edited_HW3 = np.where(region[..., None], _EDITS[edit](place), pixels_HW3)
    return Changed(_recoloured(picture, edited_HW3), region.copy())


def transplanted(
    picture: Image.Image, region: np.ndarray, into: Image.Image, place: tuple[int, int]
) -> Changed:
    """Paste a region's pixels into another picture; place is (left, top) of the region's box."""
    given_HW3, pixels_HW3 = _colours(picture), _colours(into).copy()
    box = box_of(checked(region, picture.size))
    left, top = place
    right, bottom = left + box.right - box.left, top + box.bottom - box.top
    if left < 0 or top < 0 or right > into.width or bottom > into.height:
        raise UserError(
            f"A region {right - left} wide and {bottom - top} high at {left}, {top} reaches out of "
            f"a picture of {into.width} x {into.height}. Choose another place or picture"
        )
    cut = (slice(box.top, box.bottom), slice(box.left, box.right))
    pasted = np.zeros((into.height, into.width), bool)
    pasted[top:bottom, left:right] = region[cut]
    pixels_HW3[pasted] = given_HW3[region]
    return Changed(_recoloured(into, pixels_HW3), pasted)


def _colours(picture: Image.Image) -> np.ndarray:
    if picture.mode not in MODES:
        raise UserError(
            f"A picture of mode {picture.mode} can't be changed in one place only. "
            f"Convert it to one of {', '.join(MODES)}"
        )
    return np.asarray(picture.convert("RGB"))


def _recoloured(picture: Image.Image, pixels_HW3: np.ndarray) -> Image.Image:
    """The picture with other colours: mode, alpha and metadata stay."""
    result = Image.fromarray(pixels_HW3.astype(np.uint8)).convert(picture.mode)
    if picture.mode == "RGBA":
        result.putalpha(picture.getchannel("A"))
    result.info = dict(picture.info)
    return result


def _reach(region: np.ndarray) -> int:
    return max(1, min(region.shape) // NEARBY)


def _surroundings(place: _Place) -> np.ndarray:
    box, reach = box_of(place.region), _reach(place.region)
    near = (
        slice(max(0, box.top - reach), box.bottom + reach),
        slice(max(0, box.left - reach), box.right + reach),
    )
    outside = ~place.region[near]
    if not outside.any():
        raise UserError(
            f"The region is the whole picture: nothing surrounds it. Try {Edit.OCCLUDE_GREY}"
        )
    return place.pixels_HW3[near][outside].mean(0).round()


def _noise(place: _Place) -> np.ndarray:
    return place.rng.integers(0, 256, place.pixels_HW3.shape, dtype=np.uint8)


def _turned(place: _Place) -> np.ndarray:
    hue_HW3 = np.array(Image.fromarray(place.pixels_HW3).convert("HSV"))
    hue_HW3[..., 0] += np.uint8(place.rng.integers(LEAST_TURN, 257 - LEAST_TURN))
    return np.asarray(Image.fromarray(hue_HW3, mode="HSV").convert("RGB"))


def _greyed(place: _Place) -> np.ndarray:
    return np.asarray(Image.fromarray(place.pixels_HW3).convert("L"))[..., None]


def _blurred(place: _Place) -> np.ndarray:
    blur = ImageFilter.GaussianBlur(_reach(place.region))
    return np.asarray(Image.fromarray(place.pixels_HW3).filter(blur))


def _shuffled(place: _Place) -> np.ndarray:
    box = box_of(place.region)
    side = max(1, min(box.right - box.left, box.bottom - box.top) // TILES)
    # A thin or ragged region may have no room for such tiles, but for single pixels it has.
    tiles = next(
        (found for size in range(side, 0, -1) if len(found := _tiles(place.region, box, size)) > 1),
        None,
    )
    if tiles is None:
        raise UserError("A region of one pixel has no texture to shuffle. Choose a larger one")
    order = place.rng.permutation(len(tiles))
    result_HW3 = place.pixels_HW3.copy()
    # Each takes the one before it in a random circle, so that none stays where it was.
    for to, source in zip(order, np.roll(order, 1), strict=True):
        result_HW3[tiles[to]] = place.pixels_HW3[tiles[source]]
    return result_HW3


def _tiles(region: np.ndarray, box: Box, side: int) -> list[tuple[slice, slice]]:
    """The tiles that lie wholly in the region."""
    tiles = [
        (slice(top, top + side), slice(left, left + side))
        for top in range(box.top, box.bottom - side + 1, side)
        for left in range(box.left, box.right - side + 1, side)
    ]
    return [tile for tile in tiles if region[tile].all()]


_EDITS: dict[Edit, Callable[[_Place], np.ndarray | int]] = {
    Edit.OCCLUDE: _surroundings,
    Edit.OCCLUDE_GREY: lambda _: GREY,
    Edit.OCCLUDE_NOISE: _noise,
    Edit.RECOLOUR: _turned,
    Edit.GREY: _greyed,
    Edit.BLUR: _blurred,
    Edit.SHUFFLE: _shuffled,
}
