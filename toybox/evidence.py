"""Evidence for what a feature means: pictures of one concept, masked as raggedly as features are.

Knows labels, cells and how evidence looks when there is nothing to see in it; nothing of models or
prompts.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from toybox.grid import GRID, PATCH
from toybox.vocabulary import (
    COLOURS,
    CONCEPTS,
    MATERIALS,
    OBJECTS,
    PLAIN,
    TEXTURES,
    Concept,
    adjective,
)  # fmt: skip
from toybox.world_draw import MIN_VISIBLE, Picture, region_facts

Rng = np.random.Generator
SPOKEN_GROUPS = (
    "scene", "object", "part", "material", "texture", "color", "text", "emotion",
    "color object", "material object", "texture object",
)  # fmt: skip


class Meaning(NamedTuple):
    """What a feature can mean: a concept, or an object with an attribute."""

    group: str
    word: str
    kind: str = ""

    @property
    def label(self) -> str:
        """What an explainer should call it."""
        if self.kind:
            return f"{adjective(self.word)} {self.kind}"
        return Concept(self.group, self.word).label

    @property
    def category(self) -> str:
        """The class that the categorise prompt should give."""
        return "object" if self.kind else self.group


@cache
def meanings() -> tuple[Meaning, ...]:
    """Every single concept and every pair of an attribute and an object."""
    pairs = [
        Meaning(f"{group} object", word, kind)
        for group, words in (("color", COLOURS), ("material", MATERIALS), ("texture", TEXTURES))
        for word in words
        for kind in OBJECTS
        if not (kind == "sign" and group != "color")
    ]
    return (*(Meaning(*c) for c in CONCEPTS), *pairs)


@cache
def numbers() -> dict[Meaning, int]:
    """Meaning -> its place in meanings()."""
    return {meaning: i for i, meaning in enumerate(meanings())}


def held_out(meaning: Meaning) -> bool:
    """Pairs that the explainer is never taught: one in six, spread over colours and objects."""
    if not meaning.kind:
        return False
    words = (*COLOURS, *MATERIALS, *TEXTURES)
    return (words.index(meaning.word) + OBJECTS.index(meaning.kind)) % 6 == 0


def cells_of(mask_HW: np.ndarray) -> np.ndarray:
    """How much of each cell a mask fills, 0 to 255 [GRID * GRID]."""
    share = mask_HW.reshape(GRID, PATCH, GRID, PATCH).mean((1, 3))
    return (share * 255).astype(np.uint8).reshape(-1)


def mask_of(picture: Picture, meaning: Meaning) -> np.ndarray:
    """The exact pixels of a meaning; for an object with an attribute, all of the object's."""
    if not meaning.kind:
        return picture.mask(Concept(meaning.group, meaning.word))
    right = [
        thing.kind == meaning.kind and meaning.word in (thing.colour, thing.finish)
        for thing in picture.scene.shown
    ]
    return np.array([*right, False])[picture.thing_HW]


def meanings_in(picture: Picture) -> list[Meaning]:
    """Every meaning that the picture shows."""
    found = [Meaning(*c) for c in picture.concepts()]
    pairs = set()
    tinted = region_facts().tinted[picture.region_HW]
    for i, thing in enumerate(picture.scene.shown):
        if (tinted & (picture.thing_HW == i)).sum() < MIN_VISIBLE:
            continue
        pairs.add(Meaning("color object", thing.colour, thing.kind))
        group = "material" if thing.finish in MATERIALS else "texture"
        if thing.kind != "sign" and thing.finish != PLAIN:
            pairs.add(Meaning(f"{group} object", thing.finish, thing.kind))
    return found + sorted(pairs)


def evidence_in(picture: Picture) -> dict[int, np.ndarray]:
    """For each meaning that the picture shows: its number and how much it fills of each cell."""
    return {numbers()[m]: cells_of(mask_of(picture, m)) for m in meanings_in(picture)}


def ragged(cells: np.ndarray, rng: Rng) -> np.ndarray:
    """Active cells as a feature would have them: a threshold, holes, strays [GRID, GRID]."""
    share = cells / 255
    least = min(rng.choice((0.02, 0.15, 0.3, 0.45)), 0.9 * share.max())
    active = share > least
    holes = rng.random(active.shape) < rng.choice((0, 0.1, 0.25, 0.4))
    kept = active & ~holes
    if kept.sum() >= 1:
        active = kept
    strays = rng.random(active.shape) < rng.choice((0, 0, 0.01, 0.03))
    return (active | strays).reshape(GRID, GRID)


def nothing(rng: Rng) -> np.ndarray:
    """Active cells that mean nothing: scattered, a blob, or a few specks."""
    style = rng.integers(3)
    active = np.zeros((GRID, GRID), bool)
    if style == 0:
        return rng.random((GRID, GRID)) < rng.uniform(0.05, 0.5)
    if style == 1:
        y, x = rng.integers(0, GRID - 2, 2)
        h, w = rng.integers(2, 6, 2)
        active[y : y + h, x : x + w] = rng.random(active[y : y + h, x : x + w].shape) < 0.85
        return active
    ys, xs = rng.integers(0, GRID, (2, int(rng.integers(0, 4))))
    active[ys, xs] = True
    return active
