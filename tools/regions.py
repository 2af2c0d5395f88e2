"""Regions of pictures: checked, boxed, and moved elsewhere for a control.

Knows boolean masks; nothing of what lights them.

Shapes: H x W the picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sae_core.errors import UserError


class Box(NamedTuple):
    """The smallest upright box around a region; right and bottom are past the end."""

    left: int
    top: int
    right: int
    bottom: int


class Elsewhere(NamedTuple):
    """As much of the picture as a region covers, in another place."""

    region: np.ndarray
    overlap: int
    """How many pixels it shares with the region itself: 0 wherever there is room for both."""
    move: tuple[int, int]
    """How far down and across it went; what leaves the picture comes in on the other side."""


def checked(region: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The region, if it is a mask of a picture of this width and height, and not empty."""
    width, height = size
    if region.dtype != bool or region.shape != (height, width):
        raise UserError(
            f"The region is {region.dtype} {region.shape}, the picture is {height} high and "
            f"{width} wide. Give a boolean mask [{height}, {width}]"
        )
    if not region.any():
        raise UserError("The region is empty: there is nothing to change. Lower the level")
    return region


def box_of(region: np.ndarray) -> Box:
    """The box around a region."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def elsewhere(region: np.ndarray, seed: int, step: tuple[int, int] = (1, 1)) -> Elsewhere:
    """Move a region to a random place where it overlaps itself least, in one piece if it can.

    Moves are multiples of the step, which is (across, down): a patch's sides, so that the moved
    region covers as many patches as the region. Else it is rolled over the picture's border.
    """
    height, width = checked(region, region.shape[::-1]).shape
    spectrum = np.fft.rfft2(region)
    # A correlation with itself counts the shared pixels for all moves at once.
    shared_HW = np.rint(np.fft.irfft2(spectrum.conj() * spectrum, s=region.shape)).astype(int)
    box = box_of(region)
    down, across = np.arange(height), np.arange(width)
    whole_HW = _fits(down, box.top, box.bottom, height)[:, None] & _fits(
        across, box.left, box.right, width
    )
    cost_HW = 2 * shared_HW + ~whole_HW  # overlap decides, and a cut only among equals
    reached = cost_HW[:: step[1], :: step[0]]
    best = np.argwhere(reached == reached.min())
    chosen = best[np.random.default_rng(seed).integers(len(best))]
    move = int(chosen[0]) * step[1], int(chosen[1]) * step[0]
    moved = np.roll(region, move, axis=(0, 1))
    return Elsewhere(moved, int((moved & region).sum()), move)


def _fits(move: np.ndarray, start: int, stop: int, length: int) -> np.ndarray:
    """Whether a span rolled by each move is still in one piece."""
    return (start + move) % length <= (stop - 1 + move) % length
