"""What each call of a model took, one record a call.

Knows counts and prices; nothing of requests' and replies' contents, which never enter a ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tools.backends.chat import ChatReply, ChatRequest
from tools.backends.config import Tariff as Tariff  # whoever counts has it from here

Outcome = Literal["replied", "cached", "try_again", "wont_work", "broken_off"]


class Cost(BaseModel):
    """What a call took; what the model did not tell is what was reserved for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    money: float = 0.0


class CallRecord(Cost):
    """One call. Whoever sums up records gets what was spent, with no case apart."""

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    role: str
    model: str
    prompt_hash: str
    pictures: int
    outcome: Outcome
    """`cached` cost nothing, nor did the failures, of which no server tells the price."""
    reason: str = ""
    """Why it failed, in one line."""


class Ledger(Protocol):
    """Where records go."""

    def add(self, call: CallRecord) -> None:
        """Keep a record."""
        ...


class MemoryLedger:
    """A ledger that is gone with the process."""

    def __init__(self) -> None:
        self.calls: list[CallRecord] = []

    def add(self, call: CallRecord) -> None:
        """Keep a record."""
        self.calls.append(call)


def expected_cost(request: ChatRequest, tariff: Tariff) -> Cost:
    """What a call is going to take, rather too much than too little."""
    pictures = len(request.pictures)
    # A token of English has four bytes on average; two leave room for other scripts.
    size = sum(len(message.text.encode()) for message in request.messages)
    tokens_in = size // 2 + pictures * tariff.tokens_per_picture
    return Cost(
        tokens_in=tokens_in,
        tokens_out=request.max_tokens,
        # How long it takes nobody knows; a second lets no call begin at the limit.
        seconds=1.0,
        money=tariff.money(tokens_in, request.max_tokens, 0, pictures),
    )


def actual_cost(reply: ChatReply, pictures: int, tariff: Tariff, expected: Cost) -> Cost:
    """What a call took, by the model's own counts where it has them."""
    tokens_in = expected.tokens_in if reply.tokens_in is None else reply.tokens_in
    tokens_out = expected.tokens_out if reply.tokens_out is None else reply.tokens_out
    cached = reply.tokens_cached or 0
    return Cost(
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=cached,
        seconds=reply.seconds,
        money=tariff.money(tokens_in, tokens_out, cached, pictures),
    )
