"""The tool ground: where a label is in some pictures.

Knows which pictures are meant and what is told of them; finding is the grounder's.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple, Self

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tools.artefacts import ArtefactId
from tools.backends.roles import Located
from tools.evidence import FIRING, Evidence, Group, Split
from tools.lab import Lab
from tools.masking import shown
from tools.regions import Box
from tools.tool import Arguments, Result, tool

MOST = 64
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""What a feature is said to mean."""


class GroundArguments(Arguments):
    """Which label, in which pictures."""

    label: Label
    """What to look for."""
    evidence: ArtefactId | None = None
    """Look in this evidence's pictures."""
    groups: tuple[Group, ...] = FIRING
    """Which of the evidence's pictures; by default those on which the feature fires."""
    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(), max_length=MOST)
    """Look in these pictures of the split, instead of evidence."""
    split: Split = "explore"
    """Where the pictures' numbers count."""
    limit: int = Field(default=16, ge=1, le=MOST)
    """Look in so many of the evidence's pictures at most, those that come first."""

    @model_validator(mode="after")
    def _has_pictures(self) -> Self:
        if (self.evidence is None) == (not self.pictures):
            raise ValueError("give either evidence or pictures")
        return self


class Grounding(BaseModel):
    """Where the label is in one picture."""

    model_config = ConfigDict(frozen=True)

    picture: int
    """Its number in the split."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom in pixels, the surest first; empty where nothing was found."""
    scores: tuple[float, ...]
    """How sure the grounder is of each box, 0 to 1."""
    mask: ArtefactId | None
    """White where the label is; nothing where it was not found."""
    share: float
    """How much of the picture the mask covers."""


class GroundResult(Result):
    """Where the label is."""

    label: str
    split: Split
    grounder: str
    """Which model looked, with which thresholds."""
    pictures: tuple[Grounding, ...]
    undetected: int
    """On how many pictures nothing was found."""


class _Place(NamedTuple):
    """Pictures of a split, with their numbers."""

    split: Split
    numbers: tuple[int, ...]
    pictures: tuple[Image.Image, ...]


@tool("Find where a label is in pictures: boxes, and a mask of all of them.", risk="asks models")
def ground(lab: Lab, args: GroundArguments) -> GroundResult:
    """Ask the grounder about each picture, and keep the masks."""
    place = _place(lab, args)
    found = lab.grounder.locate(place.pictures, [args.label] * len(place.pictures))
    groundings = tuple(
        grounding(lab, number, located)
        for number, located in zip(place.numbers, found, strict=True)
    )
    return GroundResult(
        label=args.label,
        split=place.split,
        grounder=lab.grounder.identity,
        pictures=groundings,
        undetected=sum(one.mask is None for one in groundings),
    )


def grounding(lab: Lab, number: int, located: Located) -> Grounding:
    """What is told of one picture; its mask becomes an artefact."""
    return Grounding(
        picture=number,
        boxes=located.boxes,
        scores=located.scores,
        mask=mask_artefact(lab, located.mask_HW) if located.mask_HW.any() else None,
        share=float(located.mask_HW.mean()),
    )


def mask_artefact(lab: Lab, mask_HW: np.ndarray) -> ArtefactId:
    """A mask as a picture, white on black."""
    return lab.artefacts.put_picture(Image.fromarray(mask_HW))


def _place(lab: Lab, args: GroundArguments) -> _Place:
    if args.evidence is None:
        pictures = tuple(lab.picture(args.split, number) for number in args.pictures)
        return _Place(args.split, args.pictures, pictures)
    evidence = lab.artefacts.document(args.evidence, Evidence)
    sightings = evidence.of(*args.groups)[: args.limit]
    return _Place(
        evidence.split,
        tuple(one.picture for one in sightings),
        tuple(shown(lab, evidence, one) for one in sightings),
    )
