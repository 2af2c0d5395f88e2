"""The tool seek: pictures that look like some words, or that tell two claims apart.

Looks are CLIP's, so what is found need not show it: what pictures show is the tool look's to say.
Knows words and looks; nothing of features.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tools import panel
from tools.claims import parse
from tools.evidence import Split
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.wording import Label


class SeekArguments(Arguments):
    """What to look for."""

    claim: Label
    """What the pictures should look like, such as `hat together with a beach`."""
    against: Label | None = None
    """Pictures that fit this claim as well, or neither, are of no use."""
    count: int = Field(default=24, ge=1, le=256)
    """How many pictures."""
    split: Split = "explore"
    """Whose pictures."""


class SeekResult(Result):
    """The pictures that fit best, best first."""

    pictures: tuple[int, ...]
    """Their numbers in the split."""


@tool("Find pictures that look like some words, or that tell two claims apart.", "asks models")
def seek(lab: Lab, args: SeekArguments) -> SeekResult:
    """Rank the split's first pictures by their looks."""
    fit_N = panel.fit(lab, args.split, parse(args.claim))
    if args.against is not None:
        fit_N = np.abs(fit_N - panel.fit(lab, args.split, parse(args.against)))
    best = np.argsort(-fit_N, kind="stable")[: args.count]
    return SeekResult(pictures=tuple(best.tolist()))
