"""A figure of the gallery: a page, and what it shows in words.

Knows pages and words; also what several figures need, such as a feature's strongest pictures with
the places where it fires.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Card
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.known import Known
from benchmarks.paper.survey import placeless
from sae_core.index.masks import strict_mask
from tools.evidence import Evidence, Sighting
from tools.failures import WontWork
from tools.lab import Lab
from tools.masking import shown

DIMMED = 0.3
"""How much light is left where a feature is silent."""
LARGE = 288
"""Pixels that a small picture is enlarged to, so that the borders of cells stay sharp."""


class Figure(NamedTuple):
    """One figure, or why there is none."""

    name: str
    """Of its file."""
    title: str
    of_paper: str
    """Which of the paper's it answers to."""
    page: Page | None
    text: tuple[str, ...]
    """How features were chosen, and what there is to see."""


async def evidence_of(bench: Bench, feature: int, top: int = 5) -> Evidence:
    """A feature's strongest explore pictures."""
    seen = await bench.call("top_images", feature=feature, top=top, per_quantile=0, negatives=0)
    return bench.lab.artefacts.document(seen.evidence, Evidence)


def check_places(lab: Lab, grid: tuple[int, int]) -> None:
    """Refuse to draw where features fire, for a target that does not know where."""
    if placeless(grid):
        raise WontWork(
            f"{lab.observer.model} sees a picture through {grid[1]} queries that have no place in "
            "it. Try a profile whose target has patches"
        )


def lit(bench: Bench, evidence: Evidence, sighting: Sighting) -> Image.Image:
    """A picture, darkened where the feature is silent or weak; nowhere if it has no places."""
    picture = enlarged(shown(bench.lab, evidence, sighting))
    if placeless(evidence.grid):
        return picture
    lit_HW = strict_mask(sighting.map_RC(evidence.grid), picture.size, evidence.level)
    pixels_HW3 = np.asarray(picture, np.float32)
    dark_HW3 = np.where(lit_HW[..., None], pixels_HW3, DIMMED * pixels_HW3)
    return Image.fromarray(dark_HW3.round().astype(np.uint8))


def enlarged(picture: Image.Image) -> Image.Image:
    """By a whole factor."""
    factor = max(1, -(-LARGE // min(picture.size)))
    size = (picture.width * factor, picture.height * factor)
    return picture.convert("RGB").resize(size, Image.Resampling.NEAREST)


async def cards_of(bench: Bench, one: Known, count: int = 5) -> tuple[Card, ...]:
    """A feature's strongest pictures, lit where it fires."""
    evidence = await evidence_of(bench, one.feature, count)
    return tuple(
        Card(lit(bench, evidence, each), f"{each.picture}", f"peak {each.peak:.3g}")
        for each in evidence.of("top_by_mean")[:count]
    )


def one_each(known: Sequence[Known]) -> list[Known]:
    """The best feature of each label."""
    found: dict[str, Known] = {}
    for one in known:
        found.setdefault(one.label, one)
    return list(found.values())


def listed(some: Sequence[Known]) -> str:
    """Features with their labels."""
    return ", ".join(f"{one.feature} ({one.label})" for one in some)
