"""The tool refine: an explanation becomes a short label, or turns out to describe nothing.

Knows the prompt and its two answers; nothing of pictures.
"""

from __future__ import annotations

from tools.asking import Question, asked, prompt
from tools.lab import Lab
from tools.replies import Outcome, label
from tools.tool import Arguments, Result, tool
from tools.wording import Description

TOKENS = 64


class RefineArguments(Arguments):
    """What to shorten."""

    explanation: Description
    """What an explainer said about a feature."""


class RefineResult(Result):
    """The label, or that there is none."""

    outcome: Outcome
    """The label, or that the explanation names nothing that can be seen: both are answers."""
    prompt_hash: str
    """Of the prompt that was used."""


@tool("Shorten an explanation to a label.", "asks models")
async def refine(lab: Lab, args: RefineArguments) -> RefineResult:
    """Ask the explainer."""
    variables = {"description": args.explanation}
    question = Question(prompt("refine"), label, variables, tokens=TOKENS)
    outcome = await asked(lab.explainer, question)
    return RefineResult(outcome=outcome, prompt_hash=question.prompt.content_hash)
