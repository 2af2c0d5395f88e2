"""The tool categorise: which class of things a label belongs to.

Knows the prompt and its ten classes; nothing of pictures.
"""

from __future__ import annotations

from tools.asking import Question, asked, prompt
from tools.lab import Lab
from tools.replies import Category, category
from tools.tool import Arguments, Result, tool
from tools.wording import Description

TOKENS = 16


class CategoriseArguments(Arguments):
    """What to sort."""

    label: Description
    """What a feature stands for."""


class CategoriseResult(Result):
    """The class."""

    category: Category
    prompt_hash: str
    """Of the prompt that was used."""


@tool("Say which class of things a label belongs to.", "asks models")
async def categorise(lab: Lab, args: CategoriseArguments) -> CategoriseResult:
    """Ask the explainer."""
    variables = {"description": args.label}
    question = Question(prompt("categorise"), category, variables, tokens=TOKENS)
    found = await asked(lab.explainer, question)
    return CategoriseResult(category=found, prompt_hash=question.prompt.content_hash)
