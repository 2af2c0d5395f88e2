"""What explainer, judge and planner share: messages of text and pictures in, one text out.

Knows the protocol only; nothing of servers, money or files. What a reply says is for the parser of
its prompt to find out.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, NamedTuple, Protocol

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from tools.failures import WontWork

Speaker = Literal["system", "user", "assistant"]
Part = str | Image.Image


class Message(NamedTuple):
    """One turn of a conversation."""

    speaker: Speaker
    parts: tuple[Part, ...]
    """Texts and pictures, in the order in which they are read."""

    @property
    def pictures(self) -> tuple[Image.Image, ...]:
        """The pictures alone."""
        return tuple(part for part in self.parts if isinstance(part, Image.Image))

    @property
    def text(self) -> str:
        """The texts alone, each on lines of its own."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


class ChatRequest(BaseModel):
    """Everything that a reply depends on, but for the model."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    role: str
    """Whose part the model plays: explainer, judge or planner."""
    messages: tuple[Message, ...] = Field(min_length=1)
    """The conversation so far."""
    prompt_hash: str = ""
    """`Prompt.content_hash` of the template that the messages were made from."""
    max_tokens: PositiveInt = 512
    """A longer reply is cut off."""
    temperature: NonNegativeFloat = Field(default=0.0, allow_inf_nan=False)
    """0 always takes the likeliest token."""
    seed: int | None = None
    """What a temperature above 0 draws with, where the server can."""
    reply_schema: dict[str, Any] | None = None
    """A JSON schema of the reply: enforced only where the server can."""

    @property
    def pictures(self) -> tuple[Image.Image, ...]:
        """The pictures of all messages."""
        return tuple(picture for message in self.messages for picture in message.pictures)

    @property
    def last(self) -> str:
        """The words that were said last."""
        return self.messages[-1].text

    @property
    def repeatable(self) -> bool:
        """Asked again, the model would say the same."""
        return self.temperature == 0 or self.seed is not None

    def digest(self, identity: str) -> str:
        """SHA-256 of all that the reply of the model with this identity depends on."""
        messages = [
            (message.speaker, [_digestible(part) for part in message.parts])
            for message in self.messages
        ]
        rest = self.model_dump(exclude={"role", "messages"})
        described = json.dumps([identity, messages, rest], sort_keys=True)
        return hashlib.sha256(described.encode()).hexdigest()


class ChatReply(BaseModel):
    """What a model said, and what it took. Counts are None where the model does not tell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    """Exactly as it came."""
    model: str
    """The model's name, as the server gives it."""
    cut: bool = False
    """It ended because of `max_tokens`, in mid-sentence."""
    tokens_in: NonNegativeInt | None = None
    """Tokens of the messages, pictures included."""
    tokens_out: NonNegativeInt | None = None
    """Tokens of the reply."""
    tokens_cached: NonNegativeInt | None = None
    """Those of `tokens_in` that the server had in its own cache."""
    seconds: NonNegativeFloat = 0.0
    """From asking to the whole reply, waiting and retries included."""
    from_cache: bool = False
    """Nobody was asked: it is an earlier reply to the same request."""


class NoConversation(WontWork):
    """The model takes one turn of the user's, and nothing else."""


class ChatModel(Protocol):
    """A model that replies."""

    @property
    def identity(self) -> str:
        """Which model this is and how it is shown a request: part of the cache's key."""
        ...

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        ...

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The reply; TryAgain or WontWork where there is none."""
        ...


class AroundChat:
    """What a ChatModel around another one has in common with it: who it is."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def identity(self) -> str:
        """The model's own."""
        return self._model.identity

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name


def _digestible(part: Part) -> dict[str, str]:
    if isinstance(part, str):
        return {"text": part}
    # RGBA, since the bytes of a picture with a palette say nothing without it.
    pixels = hashlib.sha256(part.convert("RGBA").tobytes()).hexdigest()
    return {"picture": f"{part.width}x{part.height} {pixels}"}
