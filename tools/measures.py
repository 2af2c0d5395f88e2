"""The four measures of a label, each with its nulls: overlap, CLIP-score, consistency, detection.

Knows who is asked about which pictures; the numbers are `sae_core.scoring`'s. A measure that can't
be taken raises, and never becomes a score.

Shapes: N pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from sae_core.index.masks import ACTIVE
from sae_core.masks import placed
from sae_core.scoring.consistency import consistency
from sae_core.scoring.detection import detection
from sae_core.scoring.estimate import Score
from sae_core.scoring.overlap import Found, Lit, Mode, overlap, overlap_cases
from sae_core.scoring.resampling import Cases
from sae_core.scoring.similarity import clip_score, clip_scores
from tools.artefacts import ArtefactId
from tools.claims import parse
from tools.evidence import Evidence, Sighting
from tools.failures import TryAgain, WontWork
from tools.foretelling import Detector, fires_of, foretold, learnt, numbers_of
from tools.ground import mask_artefact
from tools.held_out import Contrast
from tools.judging import Verdicts, judged
from tools.lab import Lab
from tools.masking import active, check_pictures, shown

Which = Literal["iou", "clip", "consistency", "detection"]
Name = Literal[
    "iou_paper", "iou_strict", "clip_paper", "clip_strict",
    "consistency", "balanced_accuracy", "auroc",
]  # fmt: skip
MODES: tuple[Mode, ...] = ("paper", "strict")
GENERIC = "a picture"
"""A caption that fits any picture."""
RANDOM = 100
"""Pictures of the split that a label's CLIP-score is compared on."""


class Task(NamedTuple):
    """A label, and what it is measured on."""

    lab: Lab
    label: str
    evidence: Evidence
    firing: tuple[Sighting, ...]
    contrast: Contrast
    others: tuple[str, ...]
    """Labels of other features."""
    detector: Detector

    def pictures(self) -> list[Image.Image]:
        """The firing ones themselves."""
        return [shown(self.lab, self.evidence, one) for one in self.firing]


class Marks(BaseModel):
    """What was measured on one picture; what was not is left open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mask: ArtefactId | None = None
    """Where the label was found."""
    iou_paper: float | None = None
    iou_strict: float | None = None
    clip: float | None = None
    verdict: int | None = None
    """1 where the judge agrees, 0 where not."""
    foretold: float | None = None
    """How well the detector finds that the label fits."""
    fires: bool | None = None
    """Whether the feature fires, as far as the detector was asked."""


class Measured(NamedTuple):
    """Scores, and what they rest on, by picture."""

    scores: dict[Name, Score]
    marks: dict[int, dict[str, object]]
    threshold: float | None = None
    """From where on the detector's answer counted as yes."""


async def overlaps(task: Task) -> Measured:
    """IoU of where the feature fires with where the grounder finds the label."""
    return await asyncio.to_thread(_overlaps, task)


async def similarities(task: Task) -> Measured:
    """CLIP-score of the unmasked pictures."""
    return await asyncio.to_thread(_similarities, task)


async def agreements(task: Task) -> Measured:
    """The judge's share of yes, beside that for other features' labels."""
    asked = [
        judged(task.lab, label, task.evidence, task.firing) for label in (task.label, *task.others)
    ]
    own, *others = await asyncio.gather(*asked)
    if not own.verdicts:
        raise TryAgain(f"The judge gave no answer about any of {own.failed} pictures")
    shuffled = [_cases(one) for one in others if one.verdicts]
    score = consistency(_cases(own), shuffled, task.lab.seed)
    return Measured({"consistency": score}, {n: {"verdict": v} for n, v in own.verdicts.items()})


async def detections(task: Task) -> Measured:
    """Whether the label foretells on which pictures the feature fires."""
    return await asyncio.to_thread(_detections, task)


MEASURES: dict[Which, Callable[[Task], Awaitable[Measured]]] = {
    "iou": overlaps,
    "clip": similarities,
    "consistency": agreements,
    "detection": detections,
}


def _overlaps(task: Task) -> Measured:
    if not placed(task.evidence.grid):
        raise WontWork(
            f"The {task.evidence.grid[1]} cells of {task.evidence.model} are queries, each of "
            "which looks at all of a picture: nobody can say where a feature fires"
        )
    pictures = task.pictures()
    own, *others = (grounded(task.lab, pictures, label) for label in (task.label, *task.others))
    marks: dict[int, dict[str, object]] = {
        one.picture: {"mask": None if mask is None else mask_artefact(task.lab, mask)}
        for one, mask in zip(task.firing, own, strict=True)
    }
    scores: dict[Name, Score] = {}
    for mode in MODES:
        lit, places = _lit(task, mode)
        kept = [[masks[place] for place in places] for masks in (own, *others)]
        name: Name = "iou_paper" if mode == "paper" else "iou_strict"
        scores[name] = overlap(lit, kept[0], mode, shuffled=kept[1:], seed=task.lab.seed)
        cases = overlap_cases(lit, kept[0], mode)
        for number, value in zip(cases.picture_N.tolist(), cases.value_N.tolist(), strict=True):
            marks[number][name] = value
    return Measured(scores, marks)


def grounded(lab: Lab, pictures: Sequence[Image.Image], label: str) -> list[Found]:
    """Where the grounder finds what a label says, in each of some pictures."""
    claim = parse(label)
    located = {one: lab.grounder.locate(pictures, [one] * len(pictures)) for one in claim.concepts}
    masks = [
        claim.masked({one: found[at].mask_HW for one, found in located.items()})
        for at in range(len(pictures))
    ]
    return [mask_HW if mask_HW.any() else None for mask_HW in masks]


def _lit(task: Task, mode: Mode) -> tuple[list[Lit], list[int]]:
    """Where the feature fires, and on which of the pictures it does at the mode's level."""
    level = task.evidence.level if mode == "strict" else ACTIVE
    maps = [one.map_RC(task.evidence.grid) for one in task.firing]
    places = [place for place, map_RC in enumerate(maps) if active(map_RC, level).any()]
    return [Lit(task.firing[place].picture, maps[place], level) for place in places], places


def _similarities(task: Task) -> Measured:
    lab, evidence = task.lab, task.evidence
    label_E, generic_E = lab.clip.of_texts([task.label, GENERIC]).numpy()
    picture_NE = lab.clip.of_pictures(task.pictures()).numpy()
    random = [lab.picture(evidence.split, number) for number in _random(task)]
    random_ME = lab.clip.of_pictures(random).numpy()
    scores: dict[Name, Score] = {}
    for mode in MODES:
        name: Name = "clip_paper" if mode == "paper" else "clip_strict"
        scores[name] = clip_score(label_E, picture_NE, random_ME, generic_E, mode, lab.seed)
    own_N = clip_scores(label_E, picture_NE).tolist()
    marks = zip(task.firing, own_N, strict=True)
    return Measured(scores, {one.picture: {"clip": value} for one, value in marks})


def _random(task: Task) -> list[int]:
    """Pictures of the split that are not scored, whatever the feature does on them."""
    scored = {one.picture for one in task.firing}
    left = [number for number in range(task.evidence.size) if number not in scored]
    rng = np.random.default_rng(task.lab.seed)
    return rng.choice(left, min(RANDOM, len(left)), replace=False).tolist()


def _cases(verdicts: Verdicts) -> Cases:
    said = verdicts.verdicts
    return Cases(np.array(list(said.values()), np.float64), np.array(list(said)))


def _detections(task: Task) -> Measured:
    lab, detector, label = task.lab, task.detector, task.label
    threshold, cuts = learnt(lab, detector, label, task.evidence.feature)
    check_pictures(lab, task.evidence)
    fires_N, numbers = fires_of(task.contrast), numbers_of(task.contrast)
    score_N = foretold(lab, detector, label, task.evidence.split, numbers, cuts)
    found = detection(score_N, fires_N, threshold, lab.seed)
    rows = zip(numbers, score_N.tolist(), fires_N.tolist(), strict=True)
    return Measured(
        {"balanced_accuracy": found.balanced_accuracy, "auroc": found.auroc},
        {number: {"foretold": value, "fires": fires} for number, value, fires in rows},
        threshold,
    )
