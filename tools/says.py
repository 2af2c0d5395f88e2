"""The tool says: what the target replies to a question about a picture, and what else it might.

Knows prompts and replies; nothing of features.

Shapes: V vocabulary.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field

from sae_core.lmm.adapter import Prompt
from sae_core.steering.logits import generated, logits_at
from tools.lab import Lab
from tools.picture_id import PictureId
from tools.tool import Arguments, Result, tool

LIKELY = 8
"""Among so many tokens that a reply may begin with, words are looked for."""


class SaysArguments(Arguments):
    """A question about a picture."""

    picture: PictureId
    """What the model is shown."""
    question: str = Field(min_length=1, max_length=4000)
    """What the model is asked."""
    tokens: int = Field(default=64, ge=1, le=1024)
    """The longest reply."""


class Likely(BaseModel):
    """A word that the reply may begin with."""

    model_config = ConfigDict(frozen=True)

    word: str
    probability: float


class SaysResult(Result):
    """The reply, and how it might have begun."""

    text: str
    first: tuple[Likely, ...]
    """The likeliest first; tokens that are no words are left out."""


@tool("Ask the target about a picture, and find out how else its reply might have begun.")
@torch.no_grad()
def says(lab: Lab, args: SaysArguments) -> SaysResult:
    """One reply, without any chance in it."""
    adapter = lab.target
    inputs = adapter.prepare([Prompt((args.picture.picture(lab),), args.question)])
    reply = generated(adapter, inputs.tensors, args.tokens)[0]
    logits_V = logits_at(adapter, inputs.tensors, torch.tensor([-1]))[0, 0].float()
    best = logits_V.softmax(-1).topk(LIKELY)
    tokenizer = adapter.processor.tokenizer
    words = [tokenizer.decode([token]).strip() for token in best.indices.tolist()]
    return SaysResult(
        text=tokenizer.decode(reply, skip_special_tokens=True).strip(),
        first=tuple(
            Likely(word=word, probability=chance)
            for word, chance in zip(words, best.values.tolist(), strict=True)
            if word.isalpha()
        ),
    )
