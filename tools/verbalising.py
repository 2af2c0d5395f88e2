"""Asks the target itself: a feature is written into an empty picture, and it says what it sees.

What it says without the feature, or with as much written in a random direction, is no answer.
After arXiv 2603.22593. Knows one experiment; nothing of the explainer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

from sae_core.lmm.adapter import Prompt
from sae_core.steering.experiment import Outcome, Steered, steer
from sae_core.steering.plan import sweep
from tools.asking import prompt
from tools.evidence import Evidence
from tools.failures import WontWork
from tools.hypotheses import Given
from tools.lab import Lab
from tools.replies import Described, saying

GREY = (128, 128, 128)
STRENGTHS = (0.25, 0.5, 1.0, 2.0)
"""Of the feature's largest activation; how much a model bears, nobody knows before."""
TOKENS = 32

_STUTTER = re.compile(r"\b(\w+)( \1\b)+")


class Verbalised(NamedTuple):
    """What the target saw that was not there."""

    answers: tuple[Given, ...]
    """One for each strength that made it say something of its own."""
    nothing: int
    """How many strengths did not."""
    empty: Image.Image
    """The picture that it was shown."""
    prompt_hash: str


def verbalised(lab: Lab, evidence: Evidence) -> Verbalised:
    """Steer at several strengths and read what is said."""
    seeing, question = lab.seeing, prompt("verbalise")
    if evidence.coder != seeing.digest:
        raise WontWork(
            f"The evidence is of the coder {evidence.coder[:12]}, not of {seeing.digest[:12]}, "
            "which would be steered. Gather it anew with top_images"
        )
    empty = Image.new("RGB", lab.picture(evidence.split, 0).size, GREY)
    strengths = [evidence.peak * times for times in STRENGTHS]
    steered = steer(
        seeing.adapter,
        seeing.coder,
        seeing.hook,
        Prompt((empty,), question.render()),
        sweep([evidence.feature], "clamp", strengths),
        tokens=TOKENS,
        controls=("random_direction",),
        seed=lab.seed,
    )
    answers = tuple(Given(text) for text in _own(steered))
    return Verbalised(answers, len(STRENGTHS) - len(answers), empty, question.content_hash)


def _own(steered: Steered) -> Iterator[str]:
    """What is said with the feature and not otherwise."""
    others = (steered.unsteered, *steered.of("random_direction"))
    otherwise = {said for one in others if (said := _said(one))}
    for outcome in steered.entries:
        if (said := _said(outcome)) and said not in otherwise:
            yield said


def _said(outcome: Outcome) -> str | None:
    """The words, each once where it is said over and over, as strongly steered models do."""
    said = saying(_STUTTER.sub(r"\1", outcome.text))
    return said.text if isinstance(said, Described) else None
