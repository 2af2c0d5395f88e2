"""The tool probe: which features fire on pictures, in a region of them, or on a text.

With two sets of pictures it says which features tell them apart. Features that fire on very many
pictures are skipped, as the paper's appendix G does: they are low-level, and stand in the way.
Knows which features to name; counting is `tools.firing`'s and `tools.contrast`'s.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.contrast import Contrasted, Sides, contrasted
from tools.evidence import Split
from tools.firing import Region, Strengths, fired_on, in_text, on_pictures
from tools.gathering import index_of
from tools.lab import Lab
from tools.picture_id import PictureId
from tools.regions import Box
from tools.tool import Arguments, Result, tool

COMMON = 0.5
"""A feature that fires on this share of the pictures or more is very common."""
MOST = 512
"""So many pictures may be looked at in one call."""


class ProbeArguments(Arguments):
    """What to look at: pictures, two sets of them, or a text."""

    pictures: tuple[PictureId, ...] = Field(default=(), max_length=MOST)
    """The pictures; several count as one large one."""
    against: tuple[PictureId, ...] = Field(default=(), max_length=MOST)
    """Other pictures: which features fire on one set more often than on the other?"""
    text: str | None = Field(default=None, min_length=1, max_length=4000)
    """A text instead of pictures; not for drawn features, which see only pictures."""
    cells: tuple[tuple[int, int], ...] = ()
    """Only these cells of the grid, by row and column."""
    box: tuple[int, int, int, int] | None = None
    """Only the cells in this box: left, top, right and bottom in pixels."""
    count: int = Field(default=50, ge=1, le=1000)
    """How many features to name; the paper looks at 30 to 100."""
    common: float = Field(default=COMMON, gt=0)
    """Features that fire on this share of the pictures or more are skipped; above 1 none is."""
    split: Split = "explore"
    """The pictures whose index says how common a feature is."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.text is None) == (not self.pictures):
            raise ValueError("give either pictures or a text")
        if self.against and not self.pictures:
            raise ValueError("there is nothing to hold `against` against: give pictures")
        if (self.cells or self.box) and (self.text is not None or self.against):
            raise ValueError("cells and box choose a part of pictures that are probed alone")
        if twice := set(self.pictures) & set(self.against):
            raise ValueError(f"the picture {min(map(str, twice))} is in both sets")
        return self


class Firing(BaseModel):
    """A feature at the places that were looked at."""

    model_config = ConfigDict(frozen=True)

    feature: int
    mean: float
    """Over all places, zeros included."""
    peak: float
    share: float
    """On what share of the places it fires."""
    relative: float
    """Its mean where it fires here, by its mean where it fires in the split."""
    picture_rate: float
    """On what share of the split's pictures it fires."""


class Contrast(BaseModel):
    """A feature on two sets of pictures."""

    model_config = ConfigDict(frozen=True)

    feature: int
    rate: float
    """On what share of the pictures it fires."""
    against: float
    """And of the others."""
    p: float
    """How often chance makes the rates differ as much, either way, counted over all deals."""
    false_discovery_rate: float
    """The smallest one at which this is a discovery, among all features that were compared."""


class ProbeResult(Result):
    """What fires, the strongest or surest first."""

    firing: tuple[Firing, ...] = ()
    """Of pictures or a text, by mean."""
    contrast: tuple[Contrast, ...] = ()
    """Of two sets of pictures, by how sure it is."""
    fire: int
    """How many features fire there at all."""
    skipped: int
    """How many of these are very common."""


@tool("Which features fire on pictures, in a region, or on a text; or tell two sets apart.")
def probe(lab: Lab, args: ProbeArguments) -> ProbeResult:
    """Look, leave out what is very common, and name the first."""
    rate_F = index_of(lab, args.split).picture_rates()
    if args.against:
        return _contrast(lab, args, rate_F)
    if args.text is not None:
        found = in_text(lab, args.text)
    else:
        region = Region(args.cells, Box(*args.box) if args.box else None)
        found = on_pictures(lab, [one.picture(lab) for one in args.pictures], region)
    everything = compared(lab, args.split, found)
    rare = [one for one in everything if one.picture_rate < args.common]
    ranked = sorted(rare, key=lambda one: (-one.mean, one.feature))
    return ProbeResult(
        firing=tuple(ranked[: args.count]),
        fire=len(everything),
        skipped=len(everything) - len(rare),
    )


def compared(lab: Lab, split: Split, found: Strengths) -> list[Firing]:
    """All features that fire, beside what they usually do."""
    index = index_of(lab, split)
    rate_F, usual_F, lit_F = index.picture_rates(), index.means(), found.lit_mean_F
    return [
        Firing(
            feature=feature,
            mean=float(found.mean_F[feature]),
            peak=float(found.peak_F[feature]),
            share=float(found.share_F[feature]),
            # A feature that the split never saw has no usual strength to be held against.
            relative=float(lit_F[feature] / usual_F[feature]) if usual_F[feature] > 0 else 1.0,
            picture_rate=float(rate_F[feature]),
        )
        for feature in (found.peak_F > 0).nonzero()[:, 0].tolist()
    ]


def _contrast(lab: Lab, args: ProbeArguments, rate_F: np.ndarray) -> ProbeResult:
    one_F, other_F = (
        fired_on(lab, [one.picture(lab) for one in side]) for side in (args.pictures, args.against)
    )
    sides = Sides(len(args.pictures), len(args.against))
    found = contrasted(one_F.tolist(), other_F.tolist(), sides, (rate_F < args.common).tolist())
    fire = int((one_F + other_F > 0).sum())
    return ProbeResult(
        contrast=tuple(_named(one) for one in found[: args.count]),
        fire=fire,
        skipped=fire - len(found),
    )


def _named(found: Contrasted) -> Contrast:
    return Contrast(
        feature=found.feature,
        rate=found.rate,
        against=found.other,
        p=found.p,
        false_discovery_rate=found.rate_of_false,
    )
