"""The tool counterfactual: change pictures, and see what that does to a feature.

Knows what is asked for and what is told. How pictures are changed is `tools.attempts`' knowledge,
how a feature is measured `tools.readings`'.

Shapes: R x C the grid of cells, H x W the picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal, Self, get_args

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sae_core.index.masks import strict_mask
from sae_core.scoring.estimate import Difference, Estimate
from sae_core.scoring.resampling import Cases, Span, difference, mean
from tools.artefacts import ArtefactId
from tools.attempts import Attempt, Step, by_words, in_place, transplant
from tools.edits import Edit
from tools.failures import WontWork
from tools.lab import Lab
from tools.picture_id import PictureId
from tools.readings import Measure, Reading, change, maps_of, reading
from tools.tool import Arguments, Result, tool

CHANGE = Span(-1.0, 1.0)
WHITE = 128
"""From this brightness on, a mask's pixel belongs to the region."""


class CounterfactualArguments(Arguments):
    """A feature, pictures, and what to change in them."""

    feature: int = Field(ge=0)
    """The feature's number."""
    pictures: tuple[PictureId, ...] = Field(min_length=1, max_length=64)
    """The pictures to change, or to cut from."""
    edit: Edit | Literal["transplant", "words"]
    """What is done to the region; transplant pastes it into another picture, words asks an
    editor for a change of the picture."""
    into: PictureId | None = None
    """For transplant: the picture to paste into."""
    words: str | None = Field(default=None, min_length=1, max_length=400)
    """For words: the change, as the editor understands it."""
    region: ArtefactId | None = None
    """A mask, white where to change; else the cells in which the feature fires."""
    level: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Cells that fire less are no part of the region."""
    repeats: int = Field(default=4, ge=1, le=32)
    """How often each picture is changed: with other chance, and against other controls."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, edit in (("into", "transplant"), ("words", "words")):
            if (getattr(self, name) is None) == (self.edit == edit):
                raise ValueError(f"{name} goes with edit={edit}, and with no other")
        if self.edit == "words" and self.region is not None:
            raise ValueError("edit=words finds its region itself: leave region out")
        return self


class Control(BaseModel):
    """What the control did."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    after: Reading
    picture: ArtefactId
    overlap: float
    """What share of the region the control changes too, for lack of room."""


class Trial(BaseModel):
    """One picture changed once."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    picture: PictureId
    area: float
    """What share of the picture the region is."""
    before: Reading
    """For a transplant, of the picture that is pasted into."""
    after: Reading
    changed: ArtefactId
    """The changed picture."""
    control: Control | None
    """None where the edit has no control."""


class Effect(BaseModel):
    """How much a measure of the feature changes: -1 if all is lost, 1 if all is new."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    measure: Measure
    edit: Estimate
    control: Estimate | None
    """None where the edit has no control: then the change stands alone."""
    difference: Difference | None
    """The edit's change less the control's, on the same pictures."""


class CounterfactualResult(Result):
    """What happened to the feature."""

    feature: int
    edit: str
    effects: tuple[Effect, ...]
    """One for each measure."""
    trials: tuple[Trial, ...]


@tool(
    "Change pictures (occlude, recolour, transplant, ...) and measure what a feature loses by it",
    "asks models",
)
async def counterfactual(lab: Lab, args: CounterfactualArguments) -> CounterfactualResult:
    """Each picture is changed several times, and so is its control."""
    pictures = [one.picture(lab) for one in args.pictures]
    if args.edit == "words":
        attempts = [
            await by_words(lab.editor, picture, args.words or "", lab.seed + repeat)
            for picture in pictures
            for repeat in range(args.repeats)
        ]
    else:
        attempts = await asyncio.to_thread(_attempts, lab, args, pictures)
    trials = await asyncio.to_thread(_trials, lab, args, attempts)
    return CounterfactualResult(
        feature=args.feature,
        edit=args.edit,
        effects=tuple(_effect(args, name, trials, lab.seed) for name in get_args(Measure)),
        trials=tuple(trials),
    )


def _attempts(
    lab: Lab, args: CounterfactualArguments, pictures: Sequence[Image.Image]
) -> list[Attempt]:
    """The pictures changed without an editor."""
    maps = maps_of(lab.observer, args.feature, pictures)
    into = None if args.into is None else args.into.picture(lab)
    attempts = []
    for named, picture, map_RC in zip(args.pictures, pictures, maps, strict=True):
        region, step = _region(lab, args, named, picture, map_RC), _step(picture, map_RC)
        for seed in range(lab.seed, lab.seed + args.repeats):
            if into is not None:
                attempts.append(transplant(picture, region, into, seed, step))
            else:
                attempts.append(in_place(picture, region, Edit(args.edit), seed, step))
    return attempts


def _region(
    lab: Lab,
    args: CounterfactualArguments,
    named: PictureId,
    picture: Image.Image,
    map_RC: np.ndarray,
) -> np.ndarray:
    if args.region is not None:
        return np.asarray(lab.artefacts.picture(args.region).convert("L")) >= WHITE
    region = strict_mask(map_RC, picture.size, args.level)
    if not region.any():
        raise WontWork(
            f"Feature {args.feature} fires nowhere on picture {named} at {args.level:g} or more: "
            "there is no region to change. Take a picture from top_images, or give a region"
        )
    return region


def _step(picture: Image.Image, map_RC: np.ndarray) -> Step:
    rows, columns = map_RC.shape
    return max(1, picture.width // columns), max(1, picture.height // rows)


def _trials(lab: Lab, args: CounterfactualArguments, attempts: Sequence[Attempt]) -> list[Trial]:
    """Every attempt measured; all pictures go to the observer together."""
    controls = [one.control for one in attempts if one.control is not None]
    shown = [one.before.picture for one in attempts] + [one.after.picture for one in attempts]
    # Graded: a change that only just crosses the level would count as all or nothing.
    maps = iter(maps_of(lab.graded, args.feature, [*shown, *controls]))
    before, after = ([next(maps) for _ in attempts] for _ in range(2))
    trials = []
    for at, attempt in enumerate(attempts):
        put, region = lab.artefacts.put_picture, attempt.after.region
        control = None
        if attempt.control is not None:
            measured = reading(next(maps), region)
            control = Control(after=measured, picture=put(attempt.control), overlap=attempt.overlap)
        trials.append(
            Trial(
                picture=args.pictures[at // args.repeats],
                area=float(region.mean()),
                before=reading(before[at], attempt.before.region),
                after=reading(after[at], region),
                changed=put(attempt.after.picture),
                control=control,
            )
        )
    return trials


def _effect(
    args: CounterfactualArguments, measure: Measure, trials: Sequence[Trial], seed: int
) -> Effect:
    """The changes of one measure; repeats on one picture are no further pictures."""
    edit, control = [], []
    for at, trial in enumerate(trials):
        old, picture = getattr(trial.before, measure), at // args.repeats
        edit.append((change(old, getattr(trial.after, measure)), picture))
        if trial.control is not None:
            control.append((change(old, getattr(trial.control.after, measure)), picture))
    compared = len(control) == len(edit)
    cases = _cases(edit)
    return Effect(
        measure=measure,
        edit=mean(cases, CHANGE, seed),
        control=mean(_cases(control), CHANGE, seed) if compared else None,
        difference=difference(cases, _cases(control), CHANGE, seed) if compared else None,
    )


def _cases(changes: Sequence[tuple[float, int]]) -> Cases:
    values, pictures = zip(*changes, strict=True)
    return Cases(np.array(values), np.array(pictures))
