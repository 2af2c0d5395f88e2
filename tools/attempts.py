"""Pictures changed for a reason, each beside a control that differs only in what is changed.

- in place: a region is edited; the control is the same edit of as much of the picture elsewhere.
- transplant: a region is pasted into another picture; the control is another part of the first
  picture, cut in the same shape and pasted into the same place.
- by words: an editor changes what it is told; the control is another of its edits, where it can
  name some.

Knows pictures and regions; nothing of features.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from tools.backends.roles import PictureEditor
from tools.edits import Changed, Edit, changed, transplanted
from tools.failures import WontWork
from tools.regions import box_of, checked, elsewhere

Step = tuple[int, int]
"""A cell's sides, (across, down): regions move by whole cells."""


class Attempt(NamedTuple):
    """A picture before and after."""

    before: Changed
    """As it was, and the place to look at in it."""
    after: Changed
    """Changed, and the same place in it."""
    control: Image.Image | None
    """The control, to be looked at in the same place; None where there can't be one."""
    overlap: float = 0.0
    """What share of the region the control changes too, for lack of room."""


def in_place(
    picture: Image.Image, region: np.ndarray, edit: Edit, seed: int, step: Step
) -> Attempt:
    """Edit a region; mirroring moves the whole picture, so nothing remains for a control."""
    before, after = Changed(picture, region), changed(picture, region, edit, seed)
    if edit is Edit.MIRROR:
        return Attempt(before, after, None)
    other = elsewhere(region, seed, step)
    control = changed(picture, other.region, edit, seed).picture
    return Attempt(before, after, control, other.overlap / int(region.sum()))


def transplant(
    picture: Image.Image, region: np.ndarray, into: Image.Image, seed: int, step: Step
) -> Attempt:
    """Paste a region's pixels into a random place of another picture."""
    place = _place(checked(region, picture.size), into, seed, step)
    after = transplanted(picture, region, into, place)
    other = elsewhere(region, seed, step)
    down, across = other.move
    # What lies elsewhere is brought to where the region is, so that the cut is the same.
    rolled = Image.fromarray(np.roll(np.asarray(picture), (-down, -across), axis=(0, 1)))
    control = transplanted(rolled, region, into, place).picture
    return Attempt(Changed(into, after.region), after, control, other.overlap / int(region.sum()))


async def by_words(editor: PictureEditor, picture: Image.Image, words: str, seed: int) -> Attempt:
    """Let an editor change the picture; the place to look at is whatever became different."""
    edited = await editor.edited(picture, words)
    region = differing(picture, edited)
    if not region.any():
        raise WontWork(f"{editor.identity} changes nothing in this picture for {words!r}")
    control = await _other(editor, picture, words, seed)
    return Attempt(Changed(picture, region), Changed(edited, region), control)


def differing(one: Image.Image, other: Image.Image) -> np.ndarray:
    """Where two pictures of one size have other colours [H, W]."""
    differs_HW3 = np.asarray(one.convert("RGB")) != np.asarray(other.convert("RGB"))
    return np.asarray(differs_HW3.any(2))


async def _other(
    editor: PictureEditor, picture: Image.Image, words: str, seed: int
) -> Image.Image | None:
    """The picture after another edit that can be seen."""
    others = editor.others(picture, words)
    for at in np.random.default_rng(seed).permutation(len(others)):
        edited = await editor.edited(picture, others[at])
        if differing(picture, edited).any():
            return edited
    return None


def _place(region: np.ndarray, into: Image.Image, seed: int, step: Step) -> tuple[int, int]:
    """A random place for a region's box: as it lies on the cells, so that it covers as many."""
    box, rng = box_of(region), np.random.default_rng(seed)
    spans = (
        (box.left, box.right - box.left, into.width, step[0]),
        (box.top, box.bottom - box.top, into.height, step[1]),
    )
    starts = [range(start % by, room - length + 1, by) for start, length, room, by in spans]
    if not all(starts):
        raise WontWork(
            f"A region {spans[0][1]} wide and {spans[1][1]} high has no room in a picture of "
            f"{into.width} x {into.height}. Choose a larger picture, or raise the level"
        )
    left, top = (start[int(rng.integers(len(start)))] for start in starts)
    return left, top
