"""A served chat model with tools: asked within the budget, counted, and kept word for word.

`ServedModel` asks, `ReplayedModel` says what was said. Knows what asking takes, and the errors of
the OpenAI client, which is loaded only where there is a server; nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from pydantic import SkipValidation

from agent.findings import Cost
from agent.fork import History
from agent.meter import metered
from agent.spoken import Request, Usage, message_of, name_of, plain, reply_of, texts, usage_of
from agent.tool_model import ToolModel, Tools
from agent.transcript import Asking, Call, CallFailure, Calls, NotRecorded, Recorded, who_asks
from prompts import Prompt
from tools.backends.budget import Budget, Spending
from tools.backends.ledger import CallRecord, Ledger, Tariff
from tools.failures import ToolFailure, TryAgain, WontWork

REPLY = 1024
"""Tokens that are reserved for a reply, of which no limit is sent."""


@dataclass(frozen=True)
class Books:
    """Where what is asked of a model is counted and kept; nothing is by default."""

    ledger: Ledger | None = None
    budget: Budget | None = None
    tariff: Tariff = field(default_factory=Tariff)
    calls: Calls | None = None
    history: History | None = None
    """What was said before the run left another one."""


class PromptedModel(ToolModel):
    """A chat model that knows which prompt opens its conversation."""

    prompt: SkipValidation[Prompt]

    def under(self, prompt: Prompt) -> Self:
        """The same model for another conversation."""
        return self.model_copy(update={"prompt": prompt})


class ServedModel(PromptedModel):
    """A chat model for which everything that it is asked is reserved, counted and kept."""

    model: SkipValidation[BaseChatModel]
    books: SkipValidation[Books]

    @property
    def _llm_type(self) -> str:
        return "served"

    @property
    def identity(self) -> str:
        """All of the model that its replies depend on."""
        server = getattr(self.model, "openai_api_base", None)
        named = {"base_url": server, "model": name_of(self.model)}
        return json.dumps({**named, **plain(self.model._identifying_params)}, sort_keys=True)

    async def answer(
        self, messages: Sequence[BaseMessage], tools: Tools, **settings: Any
    ) -> AIMessage:
        """The model's reply; OverBudget, or a failure of one line."""
        request = Request(self.prompt, tuple(messages), tools)
        asker, history = who_asks(), self.books.history
        if asker is not None and history is not None:
            known = await history.said(request, asker)
            if known is not None:
                return message_of(known.said())
        at = datetime.now(UTC)
        with metered() as meter:
            came = await self._within_budget(request, settings)
        if self.books.calls is not None and asker is not None:
            call = self._call(request, asker, meter.cost, came, at)
            await asyncio.to_thread(self.books.calls.record, call)
        if isinstance(came, ToolFailure):
            raise came
        return came

    async def _within_budget(
        self, request: Request, settings: Mapping[str, Any]
    ) -> AIMessage | ToolFailure:
        budget = self.books.budget or Budget()
        size = sum(len(text.encode()) for one in request.messages for text in texts(one))
        expected = Usage(size // 2, REPLY)
        async with budget.room_for(self._spending(expected, 1.0)) as reservation:
            started = time.perf_counter()
            came = await self._replied(request, settings)
            if not isinstance(came, ToolFailure):
                seconds = time.perf_counter() - started
                used = usage_of(came) if came.usage_metadata else expected
                reservation.settle(self._spending(used, seconds))
                self._count(request, came, used, seconds)
        return came

    async def _replied(
        self, request: Request, settings: Mapping[str, Any]
    ) -> AIMessage | ToolFailure:
        tools = [dict(one) for one in request.tools]
        asked = self.model.bind_tools(tools, **settings) if tools else self.model
        try:
            return await asked.ainvoke(list(request.messages))
        except Exception as error:
            if (failure := failure_of(error, self.prompt.role)) is None:
                raise
            failure.__cause__ = error
            return failure

    def _spending(self, used: Usage, seconds: float) -> Spending:
        return Spending(1, used.tokens_in + used.tokens_out, seconds, self._money(used))

    def _money(self, used: Usage) -> float:
        return self.books.tariff.money(used.tokens_in, used.tokens_out, used.cached, 0)

    def _count(self, request: Request, reply: AIMessage, used: Usage, seconds: float) -> None:
        if self.books.ledger is None:
            return
        self.books.ledger.add(
            CallRecord(
                role=request.role,
                model=name_of(self.model, reply),
                prompt_hash=request.prompt.content_hash,
                pictures=0,
                outcome="replied",
                tokens_in=used.tokens_in,
                tokens_out=used.tokens_out,
                tokens_cached=used.cached,
                seconds=seconds,
                money=self._money(used),
            )
        )

    def _call(
        self,
        request: Request,
        asker: Asking,
        cost: Cost,
        came: AIMessage | ToolFailure,
        at: datetime,
    ) -> Call:
        """The request as a record, with what came of it."""
        failed = isinstance(came, ToolFailure)
        name = name_of(self.model, None if failed else came)
        return Call(
            digest=request.digest(self.identity),
            **asker._asdict(),
            role=request.role,
            model=name,
            identity=self.identity,
            prompt=request.prompt.content_hash,
            messages=request.said,
            settings={**plain(self.model._identifying_params), "tools": list(request.tools)},
            reply=None if failed else reply_of(came, name, cost.seconds),
            failure=CallFailure.of(came) if failed else None,
            cost=cost,
            at=at,
        )


class ReplayedModel(PromptedModel):
    """Says what a run's own model said to the same request; NotRecorded if it was never made."""

    recorded: SkipValidation[Recorded]
    missed: SkipValidation[list[NotRecorded]]
    """What was asked and never recorded: with any, the replay is none."""

    @property
    def _llm_type(self) -> str:
        return "replayed"

    async def answer(
        self, messages: Sequence[BaseMessage], tools: Tools, **settings: Any
    ) -> AIMessage:
        """The reply in the record."""
        del settings
        request = Request(self.prompt, tuple(messages), tools)
        try:
            return message_of(self.recorded.next(request, who_asks()).said())
        except NotRecorded as missed:
            self.missed.append(missed)
            raise


def failure_of(error: Exception, role: str) -> ToolFailure | None:
    """The failure behind an error of the client; None for any other error, which is a bug."""
    client = sys.modules.get("openai")
    if client is None or not isinstance(error, client.OpenAIError):
        return None
    passing = (client.APIConnectionError, client.RateLimitError, client.InternalServerError)
    if isinstance(error, passing):
        return TryAgain(f"The {role}'s server gave no reply: {error}. Is it running?")
    return WontWork(f"The {role}'s server refused: {error}. Check servers.planner in the profile")
