"""Measures the grounder: overlap with the exact mask, and nothing where there is nothing.

Knows labels and exact masks. A mask below MIN_VISIBLE pixels counts as empty, as in the world.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from toybox.assignments import any_meaning
from toybox.bench_rows import Row, row
from toybox.evidence import meanings_in
from toybox.measures import bootstrapped, share
from toybox.models import Grounder, load_grounder
from toybox.vocabulary import CONCEPTS, Concept
from toybox.world_draw import MIN_VISIBLE, Picture, draw_scene
from toybox.world_splits import fresh_scene

THRESHOLD = 0.5
BATCH = 32
A_CONCEPT = 4
"""Pictures measured of each concept, at least."""


@torch.inference_mode()
def found(grounder: Grounder, pairs: list[tuple[Image.Image, str]]) -> list[np.ndarray]:
    """The mask of each label in its picture."""
    masks: list[np.ndarray] = []
    for at in range(0, len(pairs), BATCH):
        pictures, labels = zip(*pairs[at : at + BATCH], strict=True)
        inputs = grounder.processor(
            images=list(pictures), text=list(labels), padding=True, return_tensors="pt"
        )
        logits = grounder.model(**inputs).logits.reshape(len(labels), *pictures[0].size[::-1])
        masks += list((logits.sigmoid() > THRESHOLD).numpy())
    return masks


def overlap(found_HW: np.ndarray, true_HW: np.ndarray) -> float:
    """Intersection over union; of two empty masks 1."""
    either = (found_HW | true_HW).sum()
    return float((found_HW & true_HW).sum() / either) if either else 1.0


def _macro(cases: list[tuple[Concept, float]]) -> float:
    """The mean over concepts of each concept's mean."""
    by: dict[Concept, list[float]] = {}
    for wanted, value in cases:
        by.setdefault(wanted, []).append(value)
    return float(np.mean([np.mean(values) for values in by.values()]))


def _showing(seed: int, a_concept: int) -> list[tuple[Picture, Concept]]:
    """Fresh pictures until each concept has been seen often enough."""
    left = dict.fromkeys(CONCEPTS, a_concept)
    chosen = []
    for index in range(20_000):
        picture = draw_scene(fresh_scene(seed, 70_000 + index))
        for wanted in picture.concepts():
            if left[wanted]:
                left[wanted] -= 1
                chosen.append((picture, wanted))
        if not any(left.values()):
            break
    return chosen


def measure(seed: int, n: int) -> list[Row]:
    """The grounder's lines of the table."""
    grounder = load_grounder()
    rng = np.random.default_rng((80, seed))
    shown = _showing(seed, max(A_CONCEPT, n // len(CONCEPTS)))
    masks = found(grounder, [(p.image(), c.label) for p, c in shown])
    cases = [(c, overlap(m, p.mask(c))) for m, (p, c) in zip(masks, shown, strict=True)]
    groups = {c.group for c in CONCEPTS}
    absent = []
    for index in range(n):
        picture = draw_scene(fresh_scene(seed, 60_000 + index))
        wanted = any_meaning(rng)
        while wanted in meanings_in(picture):
            wanted = any_meaning(rng)
        absent.append((picture.image(), wanted.label))
    empty = [bool(mask.sum() < MIN_VISIBLE) for mask in found(grounder, absent)]
    lines = [
        row("grounder", "IoU, mean over concepts", bootstrapped(cases, _macro, seed), 0.65),
        row("grounder", "empty mask where absent", share(empty), 0.90),
    ]
    for group in sorted(groups):
        some = [(c, value) for c, value in cases if c.group == group]
        lines.append(row("grounder", f"IoU, {group}", bootstrapped(some, _macro, seed)))
    return lines
