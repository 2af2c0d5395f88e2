"""The tool find_features: features for a concept, or for what an example picture shows.

A concept is looked up among the labels; where none are known yet, CLIP finds pictures that fit the
words, and the features that fire on those more often than on others are named. Knows how to look;
nothing of how labels are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sae_core.index.draw import lots
from tools.contrast import Sides, contrasted
from tools.evidence import Split
from tools.failures import WontWork
from tools.firing import fired_on, on_pictures
from tools.gathering import index_of
from tools.lab import Lab
from tools.observing import AT_ONCE
from tools.picture_id import PictureId
from tools.probe import COMMON, compared
from tools.tool import Arguments, Result, tool

LOOKED_AT = 512
"""Among so many pictures of the split, drawn by chance, CLIP looks for those that fit."""
EXAMPLES, OTHERS = 16, 64
"""So many that fit best are held against so many others, drawn by chance."""
DISCOVERY = 0.05
"""The share of features named by pictures that may be there by chance."""

How = Literal["labels", "pictures", "example"]


class FindFeaturesArguments(Arguments):
    """What the features should be about: some words, or an example picture."""

    words: str | None = Field(default=None, min_length=1, max_length=200)
    """A concept in words, such as `red umbrella`."""
    by: Literal["labels", "pictures"] = "labels"
    """How words are looked up: among known labels, or through pictures that CLIP finds for them."""
    picture: PictureId | None = None
    """An example picture, instead of words."""
    count: int = Field(default=10, ge=1, le=200)
    """How many features at most."""
    common: float = Field(default=COMMON, gt=0)
    """Features that fire on this share of the pictures or more are skipped; above 1 none is."""
    split: Split = "explore"
    """Where pictures come from, and whose index says how common and strong features are."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.words is None) == (self.picture is None):
            raise ValueError("give either words or a picture")
        return self


class Found(BaseModel):
    """A feature that may be what was looked for."""

    model_config = ConfigDict(frozen=True)

    feature: int
    score: float
    """By labels: how well the label fits, 0 to 1. By pictures: how much more often it fires on
    those that fit. By example: how strongly it fires there by its usual strength."""
    label: str | None = None
    """What it is called, where that is how it was found."""
    picture_rate: float
    """On what share of the split's pictures it fires."""


class FindFeaturesResult(Result):
    """The features, best first."""

    how: How
    found: tuple[Found, ...]
    pictures: tuple[int, ...] = ()
    """The pictures that CLIP found for the words, best first: see whether they fit."""


@tool("Find features for a concept in words, or for what an example picture shows.")
def find_features(lab: Lab, args: FindFeaturesArguments) -> FindFeaturesResult:
    """Look where the arguments say."""
    if args.picture is not None:
        return FindFeaturesResult(how="example", found=_like(lab, args, args.picture))
    words = args.words or ""
    if args.by == "labels":
        return FindFeaturesResult(how="labels", found=tuple(_labelled(lab, args, words)))
    return _through_pictures(lab, args, words)


def _like(lab: Lab, args: FindFeaturesArguments, example: PictureId) -> tuple[Found, ...]:
    """What fires on the example more strongly than it usually does comes first."""
    firing = compared(lab, args.split, on_pictures(lab, [example.picture(lab)]))
    rare = [one for one in firing if one.picture_rate < args.common]
    ranked = sorted(rare, key=lambda one: (-one.relative, one.picture_rate, one.feature))
    return tuple(
        Found(feature=one.feature, score=one.relative, picture_rate=one.picture_rate)
        for one in ranked[: args.count]
    )


def _labelled(lab: Lab, args: FindFeaturesArguments, words: str) -> Iterator[Found]:
    rate_F = index_of(lab, args.split).picture_rates()
    for match in lab.labels.search(words, args.count):
        yield Found(
            feature=match.feature,
            score=match.score,
            label=match.label,
            picture_rate=float(rate_F[match.feature]),
        )


def _through_pictures(lab: Lab, args: FindFeaturesArguments, words: str) -> FindFeaturesResult:
    rate_F = index_of(lab, args.split).picture_rates()
    numbers = _drawn(lab, args.split)
    if len(numbers) < 2:
        raise WontWork(f"The split {args.split} has one picture: there is nothing to compare")
    ranked = _ranked(lab, args.split, numbers, words)
    best = min(EXAMPLES, len(ranked) // 2)
    examples, rest = ranked[:best], set(ranked[best:])
    others = [number for number in numbers if number in rest][:OTHERS]
    one_F, other_F = (
        fired_on(lab, [lab.picture(args.split, number) for number in side])
        for side in (examples, others)
    )
    kept_F = (rate_F < args.common).tolist()
    sides = Sides(len(examples), len(others))
    found = contrasted(one_F.tolist(), other_F.tolist(), sides, kept_F)
    likely = [one for one in found if one.rate_of_false <= DISCOVERY and one.rate > one.other]
    return FindFeaturesResult(
        how="pictures",
        found=tuple(
            Found(
                feature=one.feature,
                score=one.rate - one.other,
                picture_rate=float(rate_F[one.feature]),
            )
            for one in likely[: args.count]
        ),
        pictures=tuple(examples),
    )


def _drawn(lab: Lab, split: Split) -> list[int]:
    """Pictures of the split by chance, the same ones for all words."""
    every = torch.arange(len(lab.pictures(split)))
    return lots(lab.seed, every).argsort(stable=True)[:LOOKED_AT].tolist()


def _ranked(lab: Lab, split: Split, numbers: list[int], words: str) -> list[int]:
    """Some pictures, those that fit the words best first."""
    text_E = lab.clip.of_texts([words])[0]
    fit: list[float] = []
    for at in range(0, len(numbers), AT_ONCE):
        shown: list[Image.Image] = [lab.picture(split, n) for n in numbers[at : at + AT_ONCE]]
        fit += (lab.clip.of_pictures(shown) @ text_E).tolist()
    order = sorted(range(len(numbers)), key=lambda place: (-fit[place], place))
    return [numbers[place] for place in order]
