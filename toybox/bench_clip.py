"""Measures CLIP: does a picture find its caption, does a true label score above a false one.

Knows pictures, captions and labels with known answers.
"""

from __future__ import annotations

import numpy as np

from toybox.assignments import any_meaning
from toybox.bench_rows import Row, row
from toybox.evidence import meanings_in
from toybox.measures import share
from toybox.models import load_clip
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import caption

AMONG = 100


def measure(seed: int, n: int) -> list[Row]:
    """CLIP's lines of the table."""
    clip = load_clip()
    rng = np.random.default_rng((79, seed))
    drawn = [draw_scene(fresh_scene(seed, 20_000 + i)) for i in range(max(n, AMONG))]
    seen = clip.of_pictures([picture.image() for picture in drawn])
    told = clip.of_texts([caption(picture.scene) for picture in drawn])
    found = []
    for i in range(len(drawn)):
        others = np.delete(np.arange(len(drawn)), i)
        rivals = rng.choice(others, AMONG - 1, replace=False)
        scores = told[[i, *rivals]] @ seen[i]
        found.append(bool(scores.argmax() == 0))
    above = []
    for i, picture in enumerate(drawn):
        present = meanings_in(picture)
        true = present[int(rng.integers(len(present)))]
        false = any_meaning(rng)
        while false in present:
            false = any_meaning(rng)
        scores = clip.of_texts([true.label, false.label]) @ seen[i]
        above.append(bool(scores[0] > scores[1]))
    return [
        row("clip", f"finds the caption among {AMONG}", share(found), 0.80),
        row("clip", "true label above a random one", share(above), 0.97),
    ]
