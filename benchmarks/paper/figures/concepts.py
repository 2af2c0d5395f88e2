"""Figure 4: for each class of concepts a feature, where it fires, and where the label is found.

Knows how the examples are chosen: of each class the feature whose meaning is known best. They are
the best and no sample; Table 1 has the means.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Card, Heading, Strip, Title
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.figure import Figure, check_places, evidence_of, listed, lit
from benchmarks.paper.known import Known, best_of
from tools.evidence import Evidence, Sighting
from tools.replies import Category
from tools.score import PictureMarks, ScoreResult, ScoreSheet

NAME, OF_PAPER = "concepts", "Figure 4"
TITLE = "Concepts, and where their features fire"
CLASSES: tuple[Category, ...] = ("scene", "object", "part", "material", "texture", "color")
"""The paper's."""
LINE = (255, 255, 255)
PICTURES = 5


class Example(NamedTuple):
    """A feature on its five strongest pictures."""

    known: Known
    cards: tuple[Card, ...]
    told: str
    """Its mean IoU, or why there is none."""


async def figure(bench: Bench) -> Figure:
    """One row of pictures for each class that some feature stands for."""
    known, examples = best_of(bench), []
    for category in CLASSES:
        best = next((one for one in known if one.category == category), None)
        if best is not None:
            examples.append(await _example(bench, best))
    missing = [one for one in CLASSES if one not in {each.known.category for each in examples}]
    if not examples:
        text = "No feature has a known meaning: label some, and give their --runs."
        return Figure(NAME, TITLE, OF_PAPER, None, (text,))
    below = (
        "The five pictures on which each feature is strongest on average. Light: where it reaches "
        "its usual level. White line: where the grounder finds the label. Below: IoU of the two."
    )
    page = Page((Title(TITLE, below), *(block for one in examples for block in _blocks(one))))
    told = f"Of each class the feature whose label fits best by {known[0].source}: " + listed(
        [one.known for one in examples]
    )
    none = f" No feature stands for: {', '.join(missing)}." if missing else ""
    return Figure(
        NAME,
        TITLE,
        OF_PAPER,
        page,
        (f"{told}.{none}", "These are the best of their classes and no sample of them."),
    )


async def _example(bench: Bench, known: Known) -> Example:
    evidence = await evidence_of(bench, known.feature)
    check_places(bench.lab, evidence.grid)
    name = bench.lab.artefacts.put_document(evidence)
    scored: ScoreResult = await bench.call(
        "score",
        label=known.label,
        evidence=name,
        split="explore",
        which=("iou",),
        groups=("top_by_mean",),
        count=PICTURES,
    )
    sheet = bench.lab.artefacts.document(scored.sheet, ScoreSheet)
    marks = {one.picture: one for one in sheet.pictures}
    cards = tuple(
        _card(bench, evidence, one, marks.get(one.picture))
        for one in evidence.of("top_by_mean")[:PICTURES]
    )
    return Example(known, cards, _told(scored))


def _told(scored: ScoreResult) -> str:
    found = scored.scores
    if "iou_strict" not in found or "iou_paper" not in found:
        return f"no IoU: {scored.unmeasured['iou'].reason}"
    strict, paper = found["iou_strict"].value, found["iou_paper"].value
    return f"IoU {strict:.2f} strict, {paper:.2f} as published"


def _card(bench: Bench, evidence: Evidence, sighting: Sighting, marks: PictureMarks | None) -> Card:
    picture = lit(bench, evidence, sighting)
    if marks is not None and marks.mask is not None:
        picture = outlined(picture, bench.lab.artefacts.picture(marks.mask))
    iou = None if marks is None else marks.iou_strict
    return Card(picture, f"{sighting.picture}", "" if iou is None else f"{iou:.2f}")


def outlined(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """A white line around a mask."""
    inside_HW = np.asarray(mask.convert("L").resize(picture.size, Image.Resampling.NEAREST)) > 127
    wide_HW = np.pad(inside_HW, 2, mode="edge")
    moved = [
        wide_HW[2 + down : 2 + down + inside_HW.shape[0], 2 + over : 2 + over + inside_HW.shape[1]]
        for down, over in ((-2, 0), (2, 0), (0, -2), (0, 2))
    ]
    pixels_HW3 = np.array(picture.convert("RGB"))
    pixels_HW3[inside_HW & ~np.logical_and.reduce(moved)] = LINE
    return Image.fromarray(pixels_HW3)


def _blocks(one: Example) -> tuple[Heading, Strip]:
    name = f"{one.known.category}: {one.known.label}  ·  feature {one.known.feature}"
    return Heading(name, one.told), Strip(one.cards)
