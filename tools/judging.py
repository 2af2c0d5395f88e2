"""Does a label fit what lights up in a picture? A blind judge says 0 or 1, picture by picture.

The judge sees one masked picture and the label: neither other pictures, nor the feature, nor why
the picture was chosen. Knows who is asked what; scores are made elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.asking import Question, asked, prompt, together
from tools.evidence import Evidence, Sighting
from tools.failures import ToolFailure
from tools.lab import Lab
from tools.masking import masked
from tools.replies import verdict

TOKENS = 16


class Verdicts(NamedTuple):
    """What a judge said."""

    verdicts: dict[int, int]
    """0 or 1 by picture, in the order of the sightings; nothing where there is no answer."""
    failed: int
    """How many pictures there is no answer about."""
    prompt_hash: str


async def judged(
    lab: Lab, label: str, evidence: Evidence, sightings: Sequence[Sighting]
) -> Verdicts:
    """Ask about each sighting's picture apart, in an order of chance."""
    question = Question(prompt("judge"), verdict, {"explanation": label}, tokens=TOKENS)
    order = np.random.default_rng(lab.seed).permutation(len(sightings)).tolist()
    mixed = [sightings[at] for at in order]
    pictures = await asyncio.to_thread(
        lambda: [masked(lab, evidence, one, style="paper") for one in mixed]
    )
    answers = await together(
        asked(lab.judge, question._replace(pictures=(picture,))) for picture in pictures
    )
    said = {
        one.picture: answer
        for one, answer in zip(mixed, answers, strict=True)
        if not isinstance(answer, ToolFailure)
    }
    return Verdicts(
        {one.picture: said[one.picture] for one in sightings if one.picture in said},
        failed=sum(isinstance(answer, ToolFailure) for answer in answers),
        prompt_hash=question.prompt.content_hash,
    )
