"""Does a label fit what lights up in a picture? A blind judge says 0 or 1, picture by picture.

The judge sees one masked picture and the label: neither other pictures, nor the feature, nor why
the picture was chosen. Of a label with alternatives it is asked about each, and one yes will do; of
what has to be beside them it is not asked, as the mask hides it. Knows who is asked what; scores
are made elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.asking import Question, asked, prompt, together
from tools.claims import parse
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
    ask = prompt("judge")
    questions = [
        Question(ask, verdict, {"explanation": one}, tokens=TOKENS) for one in parse(label).any_of
    ]
    order = np.random.default_rng(lab.seed).permutation(len(sightings)).tolist()
    mixed = [sightings[at] for at in order]
    pictures = await asyncio.to_thread(
        lambda: [masked(lab, evidence, one, style="paper") for one in mixed]
    )
    answers = await together(
        asked(lab.judge, question._replace(pictures=(picture,)))
        for picture in pictures
        for question in questions
    )
    per = len(questions)
    verdicts = [_either(answers[at : at + per]) for at in range(0, len(answers), per)]
    by_picture = {one.picture: said for one, said in zip(mixed, verdicts, strict=True)}
    said = {one.picture: by_picture[one.picture] for one in sightings}
    return Verdicts(
        {picture: answer for picture, answer in said.items() if answer is not None},
        failed=sum(answer is None for answer in verdicts),
        prompt_hash=ask.content_hash,
    )


def _either(answers: Sequence[int | ToolFailure]) -> int | None:
    """1 if any answer is yes, 0 if all are no; None if one that is missing might have been yes."""
    given = [answer for answer in answers if not isinstance(answer, ToolFailure)]
    if any(given):
        return 1
    return 0 if len(given) == len(answers) else None
