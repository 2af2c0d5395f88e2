"""The tool score: how good a label is, on pictures that the explainer never saw.

Knows what is asked and told; pictures are chosen by `tools.held_out`, measured by `tools.measures`.
A measure that fails is told as a failure beside the others' scores.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sae_core.errors import UserError
from sae_core.scoring.estimate import Score
from sae_core.scoring.overlap import Overlap
from tools.artefacts import ArtefactId
from tools.evidence import FIRING, Evidence, Group, Split
from tools.failures import ToolFailure, TryAgain, WontWork
from tools.foretelling import Detector
from tools.gathering import Amounts, gather
from tools.ground import MOST, Label
from tools.held_out import contrast, firing
from tools.lab import Lab
from tools.measures import MEASURES, Marks, Measured, Name, Task, Which
from tools.shuffles import shuffled
from tools.tool import Arguments, Result, tool

ALL: tuple[Which, ...] = ("iou", "clip", "consistency", "detection")


class ScoreArguments(Arguments):
    """Which label, for which feature, measured how."""

    label: Label
    """What the feature is said to mean."""
    evidence: ArtefactId | None = None
    """Evidence for the feature, of the split to score on."""
    feature: int | None = Field(default=None, ge=0)
    """The feature's number, instead of evidence: then it is gathered."""
    split: Split = "validate"
    """Which pictures. Explanations are made from `explore`: scores there are too good."""
    which: tuple[Which, ...] = Field(default=ALL, min_length=1)
    """The measures to take."""
    count: int = Field(default=16, ge=1, le=MOST)
    """How many pictures on which the feature fires; the paper takes 5."""
    groups: tuple[Group, ...] = FIRING
    """Of which groups these are; the paper takes `top_by_mean` alone."""
    held_out: int = Field(default=48, ge=2, le=4 * MOST)
    """How many pictures detection is tried on, half of them firing."""
    others: tuple[Label, ...] = ()
    """Other features' labels, to compare with; consistency needs at least one."""
    nulls: int = Field(default=5, ge=1, le=50)
    """How many of the others to draw."""
    detector: Detector = "grounder"
    """Who says whether the label fits a held-out picture."""

    @model_validator(mode="after")
    def _has_subject(self) -> Self:
        if (self.evidence is None) == (self.feature is None):
            raise ValueError("give either evidence or a feature")
        return self


class Unmeasured(BaseModel):
    """Why there is no score."""

    model_config = ConfigDict(frozen=True)

    reason: str
    again: bool
    """Whether the same call may succeed later."""


class PictureMarks(Marks):
    """What was measured on one picture."""

    picture: int
    """Its number in the split."""


class ScoreSheet(BaseModel):
    """What a score rests on, picture by picture."""

    model_config = ConfigDict(frozen=True)

    label: str
    feature: int
    evidence: ArtefactId
    split: Split
    others: tuple[str, ...]
    pictures: tuple[PictureMarks, ...]


class ScoreResult(Result):
    """The label's scores, each beside the nulls that it has to beat."""

    label: str
    feature: int
    split: Split
    seen: bool
    """The explainer may have seen these pictures: the scores prove little."""
    short: bool
    """The feature fires on too few pictures to be judged."""
    evidence: ArtefactId
    """What the pictures were chosen from."""
    others: tuple[str, ...]
    """The labels that it was compared with."""
    scores: dict[Name, Overlap | Score]
    """Each with its 95 % interval, over pictures."""
    unmeasured: dict[Which, Unmeasured]
    """The measures that failed; none of them counts as a score."""
    threshold: float | None
    """From where on the detector says yes; learnt on the explore split."""
    sheet: ArtefactId
    """What was measured on each picture."""


@tool(
    "Score a label on held-out pictures: overlap, CLIP, a judge's consent, detection; with nulls.",
    risk="asks models",
)
async def score(lab: Lab, args: ScoreArguments) -> ScoreResult:
    """Take each measure; one that fails leaves the others alone."""
    evidence = await asyncio.to_thread(_evidence, lab, args)
    name = args.evidence or lab.artefacts.put_document(evidence)
    task = _task(lab, args, evidence)
    taken = {which: await _measured(which, task) for which in dict.fromkeys(args.which)}
    good = [one for one in taken.values() if isinstance(one, Measured)]
    return ScoreResult(
        label=args.label,
        feature=evidence.feature,
        split=evidence.split,
        seen=evidence.split == "explore",
        short=evidence.short,
        evidence=name,
        others=task.others,
        scores={measure: found for one in good for measure, found in one.scores.items()},
        unmeasured={k: one for k, one in taken.items() if isinstance(one, Unmeasured)},
        threshold=next((one.threshold for one in good if one.threshold is not None), None),
        sheet=lab.artefacts.put_document(_sheet(task, name, good)),
    )


def _sheet(task: Task, name: ArtefactId, good: Sequence[Measured]) -> ScoreSheet:
    marks: dict[int, dict[str, object]] = {}
    for one in good:
        for picture, found in one.marks.items():
            marks.setdefault(picture, {"picture": picture}).update(found)
    return ScoreSheet(
        label=task.label,
        feature=task.evidence.feature,
        evidence=name,
        split=task.evidence.split,
        others=task.others,
        pictures=tuple(PictureMarks.model_validate(marks[picture]) for picture in sorted(marks)),
    )


def _evidence(lab: Lab, args: ScoreArguments) -> Evidence:
    if args.feature is not None:
        quarter = -(-max(args.count, args.held_out // 2) // 4)
        kind = -(-args.held_out // 6)
        amounts = Amounts(top=args.count, per_quantile=quarter, quantiles=4, negatives=kind)
        return gather(lab, args.feature, args.split, amounts).evidence
    assert args.evidence is not None
    evidence = lab.artefacts.document(args.evidence, Evidence)
    if evidence.split != args.split:
        raise WontWork(
            f"The evidence is of the split {evidence.split}, and the score is to be of "
            f"{args.split}. Gather it with top_images, or ask for split={evidence.split}"
        )
    return evidence


def _task(lab: Lab, args: ScoreArguments, evidence: Evidence) -> Task:
    return Task(
        lab=lab,
        label=args.label,
        evidence=evidence,
        firing=firing(evidence, args.groups, args.count),
        contrast=contrast(evidence, args.held_out),
        others=shuffled(args.label, args.others, args.nulls, lab.seed),
        detector=args.detector,
    )


async def _measured(which: Which, task: Task) -> Measured | Unmeasured:
    try:
        return await MEASURES[which](task)
    except ToolFailure as failure:
        return Unmeasured(reason=failure.reason, again=isinstance(failure, TryAgain))
    except UserError as error:
        return Unmeasured(reason=str(error), again=False)
