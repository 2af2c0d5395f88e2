"""The tool screen: which of many concepts silence a feature when they are added to a picture.

A first look at what nobody has met in any picture: one edit for each concept, judged by the feature
alone, and by the grounder only where the feature falls silent. Knows one picture, a feature and
concepts; nothing of what is concluded.
"""

from __future__ import annotations

import asyncio

import numpy as np
from PIL import Image
from pydantic import Field

from sae_core.coders.coder import check_feature
from tools.asking import together
from tools.edit_words import asking_for, naming
from tools.edited import fires_on, sure_of, tries
from tools.evidence import Split
from tools.failures import ToolFailure
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.wording import Label

ASKED = 6
"""An editor that takes any words takes seconds for each edit: it gets no more."""


class ScreenArguments(Arguments):
    """A picture on which the feature fires, and what to add to it."""

    feature: int = Field(ge=0)
    """The feature's number."""
    picture: int = Field(ge=0)
    """Its number in the split."""
    concepts: tuple[Label, ...] = Field(min_length=1, max_length=128)
    """What to add, one after the other; those that matter most first."""
    keep: tuple[Label, ...] = Field(min_length=1, max_length=8)
    """One of these has to be there still, or the edit says nothing."""
    split: Split = "explore"
    """Where the number counts."""


class ScreenResult(Result):
    """What silences the feature."""

    silencing: tuple[str, ...]
    """Concepts with which it is silent, though what was to be kept is there."""
    undecided: tuple[str, ...]
    """Concepts with which it is silent, but what was to be kept is gone as well."""
    tried: int
    """How many could be added at all."""


@tool("Add many concepts to one picture, one at a time; see which of them silence a feature.",
      "asks models")  # fmt: skip
async def screen(lab: Lab, args: ScreenArguments) -> ScreenResult:
    """Edit, see whether it fires, and look only where it does not."""
    check_feature(lab.observer, args.feature)
    picture = lab.picture(args.split, args.picture)
    words = _words(lab, args, picture)
    found = await together(tries(lab, args.picture, picture, [one]) for one in words.values())
    made = {
        concept: some[0].image
        for concept, some in zip(words, found, strict=True)
        if not isinstance(some, ToolFailure) and some
    }
    return await asyncio.to_thread(_judged, lab, args, made)


def _words(lab: Lab, args: ScreenArguments, picture: Image.Image) -> dict[str, str]:
    """How each concept is added, as far as that can be said."""
    listed = lab.editor.edits(picture)
    if listed is None:
        return {one: asking_for("add", one) for one in args.concepts[:ASKED]}
    rng = np.random.default_rng((lab.seed, args.picture))
    named = {one: naming(listed, one, rng) for one in args.concepts}
    return {one: words[0] for one, words in named.items() if words}


def _judged(lab: Lab, args: ScreenArguments, made: dict[str, Image.Image]) -> ScreenResult:
    fires = fires_on(lab, args.feature, list(made.values()))
    dark = [concept for concept, lit in zip(made, fires, strict=True) if not lit]
    sure = sure_of(lab, [made[concept] for concept in dark], args.keep)
    kept = [any(one > 0 for one in found.values()) for found in sure]
    return ScreenResult(
        silencing=tuple(one for one, there in zip(dark, kept, strict=True) if there),
        undecided=tuple(one for one, there in zip(dark, kept, strict=True) if not there),
        tried=len(made),
    )
