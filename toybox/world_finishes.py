"""Colours, materials and patterns: what a tinted surface of the toybox looks like, pixel by pixel.

Knows surfaces only: each finish is a tile that is mixed over the thing's colour.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from toybox.vocabulary import PLAIN

TINTS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 44),
    "orange": (240, 136, 30),
    "yellow": (246, 212, 48),
    "green": (62, 158, 68),
    "blue": (52, 100, 208),
    "purple": (136, 66, 176),
    "pink": (244, 140, 188),
    "black": (58, 56, 64),
}
TILE = 64


class Finish(NamedTuple):
    """What lies over the colour: out = colour * (1 - weight) + paint * weight."""

    weight_HW1: np.ndarray
    paint_HW3: np.ndarray


def _blank() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32)
    return y, x, np.zeros((TILE, TILE), np.float32), np.zeros((TILE, TILE, 3), np.float32)


def _smooth_noise(cell: int, seed: int) -> np.ndarray:
    """Blotches of about `cell` pixels, in 0..1, that tile without a seam."""
    grid = np.random.default_rng(seed).random((TILE // cell, TILE // cell))
    big = np.kron(grid, np.ones((cell, cell)))
    for axis in (0, 1):
        shifts = range(-cell // 2, cell // 2 + 1)
        big = np.sum([np.roll(big, shift, axis) for shift in shifts], axis=0)
    return (big - big.min()) / (big.max() - big.min())


def _wood() -> Finish:
    y, x, weight, paint = _blank()
    weight += 0.3
    paint += (176, 128, 80)
    grain = (y + 1.6 * np.sin(x * 2 * np.pi / 32) + 1.2 * np.sin(y * 0.9)) % 5 < 1.6
    weight[grain] = 0.62
    paint[grain] = (84, 52, 30)
    return Finish(weight[..., None], paint)


def _metal() -> Finish:
    y, x, weight, paint = _blank()
    paint += (150, 156, 166)
    phase = ((x + y) % 32) / 32
    weight += 0.32
    band = np.exp(-(((phase - 0.5) / 0.11) ** 2))
    weight = np.maximum(weight, 0.9 * band)
    paint += (255 - paint) * band[..., None]
    dark = np.exp(-(((phase - 0.02) / 0.1) ** 2))
    paint *= 1 - 0.75 * dark[..., None]
    return Finish(np.maximum(weight, 0.5 * dark)[..., None].astype(np.float32), paint)


def _glass() -> Finish:
    y, x, weight, paint = _blank()
    paint += (224, 244, 248)
    weight += 0.3
    streak = ((x - y) % 32 < 3) | (((x - y) % 32 > 6) & ((x - y) % 32 < 8))
    weight[streak] = 0.95
    paint[streak] = (255, 255, 255)
    return Finish(weight[..., None], paint)


def _stone() -> Finish:
    _, _, weight, paint = _blank()
    noise = _smooth_noise(4, 3)
    paint += (100 + 90 * noise)[..., None]
    weight += 0.42
    speck = np.random.default_rng(5).random((TILE, TILE))
    weight[speck < 0.12] = 0.75
    paint[speck < 0.12] = (60, 60, 62)
    weight[speck > 0.92] = 0.75
    paint[speck > 0.92] = (222, 220, 214)
    return Finish(weight[..., None], paint)


def _wool() -> Finish:
    y, x, weight, paint = _blank()
    paint += (255, 255, 255)
    knit = ((x % 4) + (y % 4)) % 4
    left = (x % 8) < 4
    knit = np.where(left, knit, (x % 4 - y % 4) % 4)
    weight[knit == 0] = 0.34
    shadow = knit == 2
    weight[shadow] = 0.34
    paint[shadow] = (20, 16, 24)
    return Finish(weight[..., None], paint)


def _brick() -> Finish:
    y, x, weight, paint = _blank()
    row = y // 5
    mortar = (y % 5 == 0) | ((x + 4 * (row % 2)) % 8 == 0)
    weight += 0.12
    paint += (120, 60, 40)
    weight[mortar] = 0.72
    paint[mortar] = (226, 218, 206)
    return Finish(weight[..., None], paint)


def _painted(where: np.ndarray, paint: tuple[int, int, int], weight: float) -> Finish:
    """A pattern in one paint over the plain colour."""
    weights = np.where(where, weight, 0).astype(np.float32)
    return Finish(weights[..., None], np.broadcast_to(np.array(paint, np.float32), (TILE, TILE, 3)))


@functools.cache
def finish_tile(finish: str) -> Finish:
    """The tile of a material or pattern."""
    y, x, _, _ = _blank()
    white, dark = (252, 250, 244), (30, 28, 36)
    match finish:
        case "plain":
            return _painted(x < 0, white, 0)
        case "wood":
            return _wood()
        case "metal":
            return _metal()
        case "glass":
            return _glass()
        case "stone":
            return _stone()
        case "wool":
            return _wool()
        case "brick":
            return _brick()
        case "striped":
            return _painted(x % 8 < 3, white, 0.92)
        case "dotted":
            row = y // 8
            return _painted(
                ((x + 4 * (row % 2)) % 8 - 3.5) ** 2 + (y % 8 - 3.5) ** 2 < 4.6, white, 0.95
            )
        case "checkered":
            return _painted((x // 5 + y // 5) % 2 == 0, dark, 0.6)
        case "zigzag":
            return _painted((y + np.abs(x % 8 - 4)) % 8 < 2.5, dark, 0.72)
        case "netted":
            return _painted(((x + y) % 8 < 1) | ((x - y) % 8 < 1), white, 0.85)
        case "patchy":
            return _painted(_smooth_noise(4, 11) > 0.54, (240, 226, 196), 0.92)
    raise ValueError(f"no tile for the finish {finish!r}")


def surface(tint: str, finish: str, height: int, width: int, phase: tuple[int, int]) -> np.ndarray:
    """A [height, width, 3] surface of this colour and finish, its pattern shifted by the phase."""
    colour = np.array(TINTS[tint], np.float32)
    if finish == PLAIN:
        return np.broadcast_to(colour, (height, width, 3))
    tile = finish_tile(finish)
    rows = (np.arange(height) + phase[0]) % TILE
    columns = (np.arange(width) + phase[1]) % TILE
    weight = tile.weight_HW1[rows][:, columns]
    return colour * (1 - weight) + tile.paint_HW3[rows][:, columns] * weight
