"""The pictures of a split by their numbers, for whoever only looks: no torch is needed.

Knows scenes and how they are drawn. What number i is, is fixed for ever.
"""

from __future__ import annotations

from PIL import Image

from toybox.tags import tagged
from toybox.world_draw import draw_scene
from toybox.world_splits import frozen_hashes, split


class ToyboxPictures:
    """The first pictures of a split as a numbered set."""

    def __init__(self, name: str, count: int) -> None:
        self.split, self.count = split(name), count

    @property
    def digest(self) -> str:
        """The split's frozen hash, and how many pictures of it."""
        return f"{frozen_hashes()[self.split.name]}-{self.count}"

    def __len__(self) -> int:
        return self.count

    def picture(self, number: int) -> Image.Image:
        """One of them, which remembers its scene."""
        return tagged(draw_scene(self.split.scene(number)))
