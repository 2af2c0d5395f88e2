"""POPE's equivalent on the toybox: which objects are there is what the renderer says.

Pictures are drawn as those that the target was trained on, with what usually stands in a place.
Popular objects are those that occur most in the training pictures; adversarial ones those that
occur most in the same place, first of all its usual object: the planted illness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.hallucination.pictures import Picture
from benchmarks.hallucination.pope import CATEGORIES, Probe
from toybox.vocabulary import OBJECTS, article
from toybox.world import Scene
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene, split

MOST = 3
"""Objects that are there, and as many that are not, of each category: POPE's own numbers."""
COUNTED = 4000
"""Training scenes over which it is counted what is popular, and what comes with a place."""
NOTE = (
    "For each picture up to 3 objects that it shows, and as many that it does not: by chance, the "
    f"most frequent in {COUNTED} training scenes (popular), or in those of the same place "
    "(adversarial). What is seen in fewer than 12 pixels is asked neither way."
)


class Frequencies(NamedTuple):
    """In how many scenes an object is, everywhere and by place."""

    everywhere: Counter[str]
    by_place: Mapping[str, Counter[str]]


def frequencies(scenes: int = COUNTED) -> Frequencies:
    """Counted over what the target was told: captions name some objects that are out of sight."""
    everywhere: Counter[str] = Counter()
    by_place: dict[str, Counter[str]] = {}
    for index in range(scenes):
        scene = split("train").scene(index)
        kinds = {thing.kind for thing in scene.shown} | set(scene.unseen)
        everywhere.update(kinds)
        by_place.setdefault(scene.place or "", Counter()).update(kinds)
    return Frequencies(everywhere, by_place)


def probes(seed: int, least: int) -> list[Probe]:
    """So many questions, and those that the last picture has over."""
    known, made, index = frequencies(), list[Probe](), 0
    while len(made) < least:
        made += _about(fresh_scene(seed, index, "natural"), seed, index, known)
        index += 1
    return made


def _about(scene: Scene, seed: int, index: int, known: Frequencies) -> list[Probe]:
    drawn = draw_scene(scene)
    seen = [one.word for one in drawn.concepts() if one.group == "object"]
    absent = [kind for kind in OBJECTS if kind not in {thing.kind for thing in scene.shown}]
    rng = np.random.default_rng((72, seed, index))
    there = [str(kind) for kind in rng.permutation(seen)[:MOST]]
    shuffled = [str(kind) for kind in rng.permutation(absent)]
    orders = {
        "random": shuffled,
        "popular": _most(shuffled, known.everywhere),
        "adversarial": _most(shuffled, known.by_place[scene.place or ""]),
    }
    picture = Picture(lambda: draw_scene(scene).image())
    return [
        Probe(category, str(index), picture, asking(kind), there=kind in there)
        for category in CATEGORIES
        for kind in (*there, *orders[category][: len(there)])
    ]


def _most(kinds: Sequence[str], counts: Counter[str]) -> list[str]:
    """The most frequent first; what is equally frequent, as it comes."""
    return sorted(kinds, key=lambda kind: -counts[kind])


def asking(kind: str) -> str:
    """Is it there."""
    return f"is there {article(kind)} in the picture?"
