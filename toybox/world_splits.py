"""The frozen splits: which pictures may be trained on, explored, validated on, or only tested on.

A split is a number that seeds every scene in it, so splits never share a random stream. Their
hashes stand in splits.json: a changed world no longer matches, and the tests say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sae_core.errors import UserError
from toybox.world import Distribution, Scene, sample_scene
from toybox.world_draw import draw_scene


class Split(NamedTuple):
    """A named, finite list of scenes."""

    name: str
    stream: int
    distribution: Distribution
    size: int

    def scene(self, index: int) -> Scene:
        """The scene at this place of the split."""
        if not 0 <= index < self.size:
            raise UserError(
                f"No picture {index} in the split {self.name}: it has {self.size} "
                f"(0 to {self.size - 1})."
            )
        return sample_scene((self.stream, index), self.distribution)

    def scenes(self) -> Iterator[Scene]:
        """All scenes, in order."""
        return (self.scene(index) for index in range(self.size))

    def digest(self) -> str:
        """SHA-256 over up to 4,096 evenly spaced scenes, and over the pixels of 64 of them."""
        running = hashlib.sha256()
        for index in range(0, self.size, max(1, self.size // 4096)):
            running.update(self.scene(index).digest().encode())
        for index in range(0, self.size, self.size // 64):
            running.update(draw_scene(self.scene(index)).pixels_HW3.tobytes())
        return running.hexdigest()


SPLITS: dict[str, Split] = {
    split.name: split
    for split in (
        Split("train", 101, "natural", 120_000),
        Split("train-balanced", 102, "balanced", 80_000),
        Split("explore", 201, "balanced", 8_192),
        Split("validate", 301, "balanced", 4_096),
        Split("validate-conflict", 302, "conflict", 1_024),
        Split("test", 401, "balanced", 4_096),
        Split("test-conflict", 402, "conflict", 1_024),
    )
}
FRESH_STREAM = 900
HASHES = Path(__file__).with_name("splits.json")


def split(name: str) -> Split:
    """A split by its name."""
    if name not in SPLITS:
        raise UserError(f"No split {name!r}: the toybox has {', '.join(SPLITS)}.")
    return SPLITS[name]


def fresh_scene(seed: int, index: int = 0, distribution: Distribution = "balanced") -> Scene:
    """A scene that is in no split: what a person asks about, what a benchmark draws."""
    if seed < 0:
        raise UserError(f"A seed is zero or more, not {seed}.")
    word, rest = seed % 2**32, seed // 2**32  # NumPy cuts long seeds up: keep the index apart
    key = (FRESH_STREAM, word, index, rest) if rest else (FRESH_STREAM, word, index)
    return sample_scene(key, distribution)


def frozen_hashes() -> dict[str, str]:
    """The hashes as they were frozen."""
    return json.loads(HASHES.read_text())
