"""The tool describe: what is in some pictures, in words, whatever features do on them.

It gives the words in which pictures differ, where nobody has said yet what to look for. Knows
pictures and their descriptions; nothing of features.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tools.asking import Question, asked, prompt, together
from tools.evidence import Split
from tools.lab import Lab
from tools.replies import Described, saying
from tools.tool import Arguments, Result, tool

MOST = 64
TOKENS = 64
"""One sentence; a model that goes on is cut off there."""


class DescribeArguments(Arguments):
    """Which pictures."""

    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, max_length=MOST)
    """Their numbers in the split."""
    split: Split = "explore"
    """Where the numbers count."""


class Description(BaseModel):
    """One picture in words."""

    model_config = ConfigDict(frozen=True)

    picture: int
    """Its number in the split."""
    text: str


class DescribeResult(Result):
    """What was said."""

    descriptions: tuple[Description, ...]
    failed: int
    """Of how many pictures nothing was said."""
    prompt_hash: str
    """Of the prompt that was used."""


@tool("Describe whole pictures in words, whatever features do on them.", "asks models")
async def describe(lab: Lab, args: DescribeArguments) -> DescribeResult:
    """Ask about each picture apart."""
    question = Question(prompt("describe"), saying, {}, tokens=TOKENS)
    shown = await asyncio.to_thread(
        lambda: [lab.picture(args.split, number) for number in args.pictures]
    )
    answers = await together(
        asked(lab.describer, question._replace(pictures=(picture,))) for picture in shown
    )
    found = tuple(
        Description(picture=number, text=answer.text)
        for number, answer in zip(args.pictures, answers, strict=True)
        if isinstance(answer, Described)
    )
    return DescribeResult(
        descriptions=found,
        failed=len(answers) - len(found),
        prompt_hash=question.prompt.content_hash,
    )
