"""The tool render_masks: the pictures of a piece of evidence with a feature's cells shown.

Knows which sightings to show, and from which level on; how they look is `tools.masking`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, model_validator

from tools.artefacts import ArtefactId
from tools.evidence import FIRING, Evidence, Group, Sighting
from tools.gathering import index_of
from tools.lab import Lab
from tools.masking import Style, active, masked, usual_level
from tools.sheets import Card, Section, contact_sheet
from tools.tool import Arguments, Result, tool

HEADINGS: dict[Group, str] = {
    "top_by_mean": "Strongest on average",
    "top_by_max": "Strongest in one cell",
    "quantile": "By chance, weak to strong",
    "random": "Silent: by chance",
    "near": "Silent, though they look alike",
    "neighbour": "Silent, where its neighbours fire",
    "fitting": "Silent, though the label fits",
    "rival": "Silent, though another label fits",
}


class RenderMasksArguments(Arguments):
    """Which evidence, and how to show it."""

    evidence: ArtefactId
    """What top_images has gathered."""
    style: Style = "paper"
    """`paper` blackens all else, `heat` colours by strength, `outline` draws a line, `crop` cuts
    the cells out."""
    threshold: NonNegativeFloat | None = Field(default=None, allow_inf_nan=False)
    """Cells are shown from this activation on; else from 1e-5 for paper and heat, from the
    evidence's level for outline and crop."""
    quantile: float | None = Field(default=None, ge=0, le=1)
    """The threshold is the activation that this share of the feature's lit cells don't exceed."""
    groups: tuple[Group, ...] = Field(default=FIRING, min_length=1)
    """Which sightings."""
    limit: int = Field(default=16, ge=1, le=256)
    """How many pictures at most, the first ones of the evidence."""
    sheet: bool = False
    """Also put all of them on one picture with captions."""

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.threshold is not None and self.quantile is not None:
            raise ValueError("give a threshold or a quantile, not both")
        return self


class Rendered(BaseModel):
    """A sighting, shown."""

    model_config = ConfigDict(frozen=True)

    picture: int
    """Its number in the split."""
    group: Group
    shown: ArtefactId
    """The masked picture."""
    mean: float
    peak: float
    cells: int
    """How many cells reach the level."""


class RenderMasksResult(Result):
    """The masked pictures."""

    style: Style
    level: float
    """From which activation on cells are shown."""
    pictures: tuple[Rendered, ...]
    sheet: ArtefactId | None = None
    """All of them on one picture."""


@tool("Show where a feature fires in the pictures of its evidence.")
def render_masks(lab: Lab, args: RenderMasksArguments) -> RenderMasksResult:
    """Mask each picture and keep it."""
    evidence = lab.artefacts.document(args.evidence, Evidence)
    level = _level(lab, evidence, args)
    sightings = evidence.of(*args.groups)[: args.limit]
    pictures = [masked(lab, evidence, one, args.style, level) for one in sightings]
    sheet = None
    if args.sheet:
        drawn = _sheet(evidence, sightings, pictures, f"cells from {level:.3g} on")
        sheet = lab.artefacts.put_picture(drawn)
    return RenderMasksResult(
        style=args.style,
        level=level,
        pictures=tuple(
            Rendered(
                picture=one.picture,
                group=one.group,
                shown=lab.artefacts.put_picture(picture),
                mean=one.mean,
                peak=one.peak,
                cells=int(active(one.map_RC(evidence.grid), level).sum()),
            )
            for one, picture in zip(sightings, pictures, strict=True)
        ),
        sheet=sheet,
    )


def _level(lab: Lab, evidence: Evidence, args: RenderMasksArguments) -> float:
    if args.threshold is not None:
        return args.threshold
    if args.quantile is not None:
        return index_of(lab, evidence.split).feature(evidence.feature).level(args.quantile)
    return usual_level(evidence, args.style)


def _sheet(
    evidence: Evidence,
    sightings: Sequence[Sighting],
    pictures: Sequence[Image.Image],
    shown: str,
) -> Image.Image:
    pairs = list(zip(sightings, pictures, strict=True))
    sections = [
        Section(heading, tuple(_card(one, picture) for one, picture in pairs if one.group == group))
        for group, heading in HEADINGS.items()
    ]
    few = " · too few to judge it by" if evidence.short else ""
    subtitle = (
        f"fires on {evidence.fires_on:,} of {evidence.size:,} pictures of {evidence.split}{few}"
        f" · {shown}"
    )
    return contact_sheet(f"Feature {evidence.feature}", subtitle, sections)


def _card(sighting: Sighting, picture: Image.Image) -> Card:
    ranked = "mean" if sighting.group in ("top_by_mean", "quantile") else "peak"
    value = f"{ranked} {getattr(sighting, ranked):.2g}" if sighting.peak else "silent"
    return Card(picture, f"{sighting.picture}", value)
