"""The tool look: on which pictures a feature fires, and how surely concepts are seen there.

Knows pictures, a feature and concepts; nothing of what is concluded from them.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sae_core.coders.coder import check_feature
from tools import panel
from tools.evidence import Split
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.wording import Label


class LookArguments(Arguments):
    """Where to look, and for what."""

    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=2048)
    """Their numbers in the split."""
    feature: int = Field(ge=0)
    """The feature's number."""
    concepts: tuple[Label, ...] = Field(default=(), max_length=32)
    """What to look for: single concepts."""
    split: Split = "explore"
    """Where the numbers count."""


class LookResult(Result):
    """What was seen, in the order of the pictures."""

    fires: tuple[bool, ...]
    """Whether the feature fires anywhere."""
    sure: dict[str, tuple[float, ...]]
    """How sure the grounder is of each concept, 0 to 1."""


@tool("See on which pictures a feature fires, and in which of them concepts are.", "asks models")
def look(lab: Lab, args: LookArguments) -> LookResult:
    """Ask the observer, and the grounder about each concept."""
    check_feature(lab.observer, args.feature)
    sure = panel.sure(lab, args.split, args.pictures, args.concepts)
    return LookResult(
        fires=tuple(panel.fires(lab, args.split, args.pictures, args.feature).tolist()),
        sure={concept: tuple(sure_N.tolist()) for concept, sure_N in sure.items()},
    )
