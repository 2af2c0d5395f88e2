"""The tool edit_one: change one thing in pictures, and see what is there then and what fires.

An editor changes the picture, a grounder says what the edited picture shows: nobody is told what
the edit was meant to do. Knows pictures, a feature and concepts; nothing of what is concluded.

Shapes: H x W the picture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sae_core.coders.coder import check_feature
from tools import panel
from tools.artefacts import ArtefactId
from tools.asking import together
from tools.attempts import differing
from tools.edit_words import Change, asking_for, naming, of_each_sort, touching
from tools.edited import Try, fires_on, sure_of, tries
from tools.evidence import Split
from tools.failures import ToolFailure
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.wording import Label

MOST = 64


class EditOneArguments(Arguments):
    """Which pictures, what to change in them, and what to look for afterwards."""

    feature: int = Field(ge=0)
    """The feature's number."""
    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=MOST)
    """Their numbers in the split."""
    change: Change
    """Whether the concept is to be added or removed."""
    concept: Label
    """A single concept."""
    beside: tuple[Label, ...] = Field(default=(), max_length=32)
    """What else to look for: it should stay as it was."""
    split: Split = "explore"
    """Where the numbers count."""


class EditedOne(BaseModel):
    """One picture after one edit."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    picture: int
    """Its number in the split."""
    words: str
    """The edit, as the editor was told it."""
    changed: ArtefactId
    """The edited picture."""
    fires: bool
    """Whether the feature fires anywhere on it."""
    sure: dict[str, float]
    """How sure the grounder is of each concept in it, 0 to 1."""


class EditOneResult(Result):
    """The edited pictures."""

    edited: tuple[EditedOne, ...]
    """Of each picture the one in which the change shows best, and everything else least."""
    unedited: int
    """Of how many pictures the editor makes no such edit."""


@tool("Add or remove one concept in pictures by an editor; see whether a feature fires then.",
      "asks models")  # fmt: skip
async def edit_one(lab: Lab, args: EditOneArguments) -> EditOneResult:
    """Try some edits of each picture, and take the best."""
    check_feature(lab.observer, args.feature)
    found = await together(_tried(lab, args, number) for number in args.pictures)
    tried = [one for some in found if not isinstance(some, ToolFailure) for one in some]
    edited = await asyncio.to_thread(_best, lab, args, tried)
    return EditOneResult(edited=tuple(edited), unedited=len(args.pictures) - len(edited))


async def _tried(lab: Lab, args: EditOneArguments, number: int) -> list[Try]:
    """Some edits of one picture that may do it."""
    picture = lab.picture(args.split, number)
    listed, rng = lab.editor.edits(picture), np.random.default_rng((lab.seed, number))
    if listed is None:
        return await tries(lab, number, picture, [asking_for(args.change, args.concept)])
    if args.change == "add":
        return await tries(lab, number, picture, naming(listed, args.concept, rng))
    made = await tries(lab, number, picture, of_each_sort(listed, rng))
    (there,) = await asyncio.to_thread(lab.grounder.locate, [picture], [args.concept])
    changed = [differing(picture, one.image) for one in made]
    return [made[at] for at in touching(changed, there.mask_HW)]


def _best(lab: Lab, args: EditOneArguments, tried: Sequence[Try]) -> list[EditedOne]:
    """Of each picture the edit that does most of what it should and least of anything else."""
    concepts = tuple(dict.fromkeys((args.concept, *args.beside)))
    was = panel.sure(lab, args.split, args.pictures, concepts)
    before = {
        number: {one: float(was[one][at]) for one in concepts}
        for at, number in enumerate(args.pictures)
    }
    after = sure_of(lab, [one.image for one in tried], concepts)
    kept: dict[int, int] = {}
    for at, one in enumerate(tried):
        here = before[one.picture]
        known = kept.get(one.picture)
        if known is None or _done(args, here, after[at]) > _done(args, here, after[known]):
            kept[one.picture] = at
    chosen = [tried[at] for at in kept.values()]
    fires = fires_on(lab, args.feature, [one.image for one in chosen])
    return [
        EditedOne(
            picture=one.picture,
            words=one.words,
            changed=lab.artefacts.put_picture(one.image),
            fires=lit,
            sure=after[at],
        )
        for one, at, lit in zip(chosen, kept.values(), fires, strict=True)
    ]


def _done(args: EditOneArguments, before: dict[str, float], after: dict[str, float]) -> float:
    """How sure it is that the change was made, and that nothing else was."""
    there = after[args.concept]
    done = there if args.change == "add" else 1 - there
    kept = (1 - abs(after[one] - before[one]) for one in after if one != args.concept)
    return min(done, *kept, 1.0)
