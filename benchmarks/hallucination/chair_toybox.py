"""CHAIR's equivalent on the toybox: captions against the objects that the renderer has drawn.

Pictures are drawn as those that the target was trained on, whose captions named some objects that
were out of sight: the planted illness.
"""

from __future__ import annotations

import re

from benchmarks.hallucination.chair import Depicted
from benchmarks.hallucination.mentions import Lexicon
from benchmarks.hallucination.pictures import Picture
from toybox.vocabulary import OBJECTS, PLURALS
from toybox.world import Scene
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

LEXICON = Lexicon({kind: (PLURALS.get(kind, kind),) for kind in OBJECTS})
NOTE = "An object is there if at least 12 of its pixels are seen. Words on signs name nothing."


def depicted(seed: int, count: int) -> list[Depicted]:
    """So many pictures."""
    return [_of(fresh_scene(seed, index, "natural")) for index in range(count)]


def _of(scene: Scene) -> Depicted:
    seen = (one.word for one in draw_scene(scene).concepts() if one.group == "object")
    return Depicted(Picture(lambda: draw_scene(scene).image()), frozenset(seen))


def without_writing(text: str) -> str:
    """A caption without what it says is written on signs."""
    return re.sub(r"that says \w+", "", text)
