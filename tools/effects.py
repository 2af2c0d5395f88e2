"""How much a text is about a topic, 1 to 10, as a blind judge sees it.

The judge sees one text and the topic: neither other texts, nor whether and how the text was
steered. So unsteered, steered and control texts are judged alike. Knows texts; nothing of features.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.asking import Question, asked, prompt
from tools.failures import ToolFailure
from tools.lab import Lab
from tools.replies import Unreadable

TOKENS = 256
MARKER = "[EFFECT]"
_LAST = re.compile(r"[*`]*\[EFFECT\][*`]*:? *(10|[1-9])\.?[*`]*", re.ASCII)


class Effect(BaseModel):
    """What the judge said."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["judged"] = "judged"
    score: int = Field(ge=1, le=10)


class NotJudged(BaseModel):
    """There is no judgement, and this is why."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["not judged"] = "not judged"
    why: str


Judgement = Annotated[Effect | NotJudged, Field(discriminator="kind")]


def effect_of(reply: str) -> int:
    """The number on the last line, after its marker."""
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    if (said := reply.upper().count(MARKER)) != 1:
        raise Unreadable(f"it has {MARKER} {said} times, not once")
    if (found := _LAST.fullmatch(lines[-1])) is None:
        raise Unreadable(f"its last line is not {MARKER} and a whole number from 1 to 10")
    return int(found[1])


async def judged(lab: Lab, topic: str, texts: Sequence[str]) -> dict[str, Effect | NotJudged]:
    """Each text's judgement; equal texts are asked about once."""
    different = tuple(dict.fromkeys(texts))
    found = await asyncio.gather(*(_judged(lab, topic, text) for text in different))
    return dict(zip(different, found, strict=True))


async def _judged(lab: Lab, topic: str, text: str) -> Effect | NotJudged:
    question = Question(prompt("effect"), effect_of, {"topic": topic, "text": text}, tokens=TOKENS)
    try:
        return Effect(score=await asked(lab.judge, question))
    except ToolFailure as failure:
        return NotJudged(why=failure.reason)
