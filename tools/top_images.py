"""The tool top_images: evidence for a feature, as a document that other tools start from.

Knows what is asked for and what is told; gathering is `tools.gathering`'s.
"""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from tools.artefacts import ArtefactId
from tools.evidence import Group, Split
from tools.gathering import Amounts, gather
from tools.lab import Lab
from tools.tool import Arguments, Result, tool

MOST = 64


class TopImagesArguments(Arguments):
    """Which feature, and how much to gather."""

    feature: int = Field(ge=0)
    """The feature's number."""
    split: Split = "explore"
    """Which pictures: explanations are made from `explore` alone."""
    top: int = Field(default=5, ge=0, le=MOST)
    """Pictures with the highest mean activation, and as many with the highest peak."""
    per_quantile: int = Field(default=2, ge=0, le=MOST)
    """Pictures drawn from each quantile of those on which it fires."""
    quantiles: int = Field(default=4, ge=1, le=16)
    """Into how many parts those are cut, weakest first."""
    negatives: int = Field(default=8, ge=0, le=MOST)
    """Pictures on which it is silent, of each kind: random, near, and neighbour features'."""


class NeighbourShare(BaseModel):
    """A feature that often fires on the same pictures."""

    model_config = ConfigDict(frozen=True)

    feature: int
    share: float
    """Of the pictures on which one of the two fires, how many make both fire."""


class TopImagesResult(Result):
    """The evidence's name, and what the feature is like."""

    evidence: ArtefactId
    """The document for explaining, masking and scoring."""
    feature: int
    split: Split
    fires_on: int
    """On how many pictures it fires."""
    size: int
    """How many pictures there are."""
    short: bool
    """It fires on too few pictures to be judged."""
    token_rate: float
    """On what share of the cells it fires."""
    mean: float
    """Its mean activation where it fires."""
    peak: float
    """Its largest activation."""
    level: float
    """The activation that half of its lit cells exceed."""
    pictures: dict[Group, int]
    """How many pictures of each group the evidence has; none of a group is left out."""
    neighbours: tuple[NeighbourShare, ...]
    """The features that fire along with it most often."""


@tool("Gather a feature's evidence: top pictures, weak ones, and ones that leave it silent.")
def top_images(lab: Lab, args: TopImagesArguments) -> TopImagesResult:
    """Gather, keep the document, and say what is in it."""
    amounts = Amounts(args.top, args.per_quantile, args.quantiles, args.negatives)
    evidence, record = gather(lab, args.feature, args.split, amounts)
    return TopImagesResult(
        evidence=lab.artefacts.put_document(evidence),
        feature=args.feature,
        split=args.split,
        fires_on=record.fires_on,
        size=evidence.size,
        short=record.short,
        token_rate=record.token_rate,
        mean=record.mean,
        peak=record.peak,
        level=evidence.level,
        pictures=dict(Counter(one.group for one in evidence.sightings)),
        neighbours=tuple(
            NeighbourShare(feature=n.feature, share=n.share) for n in record.neighbours
        ),
    )
