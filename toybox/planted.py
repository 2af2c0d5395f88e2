"""Planted features: they fire exactly where the renderer says so, so their meaning is known.

Knows scenes, masks and rules; nothing of models. A feature is drawn from a seed: a single concept,
one OR another, one AND another, one AND NOT another, or noise that means nothing. Any number of
fresh sets can be made, to hold an agent's explanations against.

Shapes: B pictures, P cells, K slots, C concepts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import torch
from PIL import Image

from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.index.harvest import Numbered
from sae_core.index.table import Harvested
from toybox.evidence import cells_of
from toybox.grid import GRID, PATCH
from toybox.tags import scene_of
from toybox.vocabulary import CONCEPTS, Concept
from toybox.world_draw import Picture, draw_scene

Rule = Literal["single", "or", "and", "and not", "noise"]
COUNTS: dict[Rule, int] = {"single": 40, "or": 20, "and": 20, "and not": 10, "noise": 10}
LEAST = 0.35
"""What share of a cell a concept must fill to make a feature fire there; small ones need less."""
CHANGED = 24
"""How much a cell's pixels may differ, on average, from what the renderer drew."""
NOISY_PICTURES, NOISY_CELLS = 0.06, 0.12


class Planted(NamedTuple):
    """One feature's meaning. AND and AND NOT fire on the first's cells, if the second is there."""

    rule: Rule
    first: Concept | None = None
    second: Concept | None = None

    @property
    def label(self) -> str:
        """The meaning in words."""
        match self:
            case Planted("single", first, _) if first:
                return first.label
            case Planted("or", first, second) if first and second:
                return f"{first.label} or {second.label}"
            case Planted("and", first, second) if first and second:
                return f"{first.label} together with {second.label}"
            case Planted("and not", first, second) if first and second:
                return f"{first.label} without {second.label}"
        return "nothing"


def plant(seed: int) -> tuple[Planted, ...]:
    """A set of features, in random order."""
    if seed < 0:
        raise UserError(f"A seed is zero or more, not {seed}.")
    rng = np.random.default_rng((71, seed))
    made: list[Planted] = []
    for rule, count in COUNTS.items():
        firsts = rng.choice(len(CONCEPTS), count, replace=False)
        for number in firsts:
            first = CONCEPTS[int(number)]
            if rule == "noise":
                made.append(Planted("noise"))
            elif rule == "single":
                made.append(Planted("single", first))
            else:
                made.append(Planted(rule, first, _partner(first, rule, rng)))
    return tuple(made[i] for i in rng.permutation(len(made)))


def _partner(first: Concept, rule: Rule, rng: np.random.Generator) -> Concept:
    """A second concept. OR stays within a class; AND takes one that is often seen beside it."""
    common = {"scene", "color", "object"}
    while True:
        second = CONCEPTS[int(rng.integers(len(CONCEPTS)))]
        if second == first:
            continue
        if rule == "or" and second.group == first.group:
            return second
        if rule != "or" and second.group in common - {first.group}:
            return second


class PlantedObserver:
    """What planted features do on pictures; the same face as a coder on a model."""

    grid = (GRID, GRID)
    model, hook = "toybox:renderer", "pixels"

    def __init__(self, seed: int) -> None:
        self.seed, self.planted = seed, plant(seed)

    @property
    def features(self) -> int:
        """F, how many features there are."""
        return len(self.planted)

    @cached_property
    def digest(self) -> str:
        """A hash that names this set."""
        return hashlib.sha256(f"planted-{self.seed}-{self.planted}".encode()).hexdigest()

    def observe(self, pictures: Sequence[Numbered]) -> Harvested:
        """What fires where."""
        values = np.stack([self.values(shown.picture) for shown in pictures])
        slots = max(1, int((values > 0).sum(2).max()))
        found = torch.from_numpy(values).topk(slots, dim=2)
        names = [shown.number for shown in pictures]
        looks = np.stack([_look(shown.picture) for shown in pictures])
        return Harvested(
            torch.tensor(names),
            Code(found.values, found.indices),
            torch.from_numpy(looks),
            self.grid,
        )

    def values(self, image: Image.Image) -> np.ndarray:
        """How strongly each feature fires in each cell [P, F]."""
        scene = scene_of(image)
        if scene is None:
            raise UserError(
                "Planted features need to know a picture's scene, and this one does not say: "
                "it is not a toybox picture, or was saved without its text."
            )
        picture = draw_scene(scene)
        shows = _unchanged(image, picture)
        seen = {c: cells_of(picture.mask(c)) / 255 for c in picture.concepts()}
        noise = np.random.default_rng((72, self.seed, int(scene.digest()[:12], 16)))
        out = np.zeros((GRID * GRID, self.features), np.float32)
        for j, feature in enumerate(self.planted):
            lot = noise.random(), noise.random(GRID * GRID)
            out[:, j] = _noise(*lot) if feature.rule == "noise" else self._fires(feature, seen)
        return out * shows[:, None]

    def _fires(self, feature: Planted, seen: dict[Concept, np.ndarray]) -> np.ndarray:
        first, second = (seen.get(c) if c else None for c in (feature.first, feature.second))
        nowhere = np.zeros(GRID * GRID)
        if feature.rule == "or":
            return np.maximum(_strength(first, nowhere), _strength(second, nowhere))
        if (feature.rule == "and" and second is None) or (
            feature.rule == "and not" and second is not None
        ):
            return nowhere
        return _strength(first, nowhere)


def _strength(cells: np.ndarray | None, nowhere: np.ndarray) -> np.ndarray:
    """Twice the share of each cell, where it is enough; a small concept fires at its peak."""
    if cells is None:
        return nowhere
    return np.where(cells >= min(LEAST, 0.9 * cells.max()), 2 * cells, 0)


def _noise(lot: float, lots: np.ndarray) -> np.ndarray:
    """Random cells of few pictures, the same ones each time."""
    return np.where(lots < NOISY_CELLS, 1 + lots, 0) if lot < NOISY_PICTURES else 0 * lots


def _unchanged(image: Image.Image, picture: Picture) -> np.ndarray:
    """In which cells the image still shows what was drawn [P]."""
    pixels = np.asarray(image.convert("RGB"), np.int16)
    if pixels.shape != picture.pixels_HW3.shape:
        raise UserError(
            f"Planted features read pictures of {picture.pixels_HW3.shape[1]} x "
            f"{picture.pixels_HW3.shape[0]} pixels, not {image.width} x {image.height}."
        )
    differs = np.abs(pixels - picture.pixels_HW3).mean(2)
    return differs.reshape(GRID, PATCH, GRID, PATCH).mean((1, 3)).reshape(-1) <= CHANGED


def _look(image: Image.Image) -> np.ndarray:
    """A coarse picture of the picture, to find similar ones by."""
    small = np.asarray(image.convert("RGB").resize((6, 6)), np.float32)
    return small.reshape(-1) / 255 - 0.5
