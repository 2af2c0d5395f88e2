"""The way every model is asked: from the cache if it can be, else within the budget and recorded.

Knows the order of these steps; nothing of servers.
"""

from __future__ import annotations

from tools.backends.budget import Budget, Spending
from tools.backends.cache import ReplyCache
from tools.backends.chat import AroundChat, ChatModel, ChatReply, ChatRequest
from tools.backends.ledger import (
    CallRecord,
    Cost,
    Ledger,
    Outcome,
    Tariff,
    actual_cost,
    expected_cost,
)
from tools.failures import ToolFailure, TryAgain


class MeteredChat(AroundChat):
    """A ChatModel around another one."""

    def __init__(
        self,
        model: ChatModel,
        ledger: Ledger,
        budget: Budget,
        *,
        tariff: Tariff | None = None,
        cache: ReplyCache | None = None,
    ) -> None:
        super().__init__(model)
        self._ledger, self._budget = ledger, budget
        self._tariff, self._cache = tariff or Tariff(), cache

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The reply, new or kept; OverBudget where a new one costs too much."""
        cache = self._cache if request.repeatable else None
        if cache is None:
            return await self._ask(request)
        digest = request.digest(self._model.identity)
        if (kept := cache.get(digest)) is not None:
            self._record(request, "cached", Cost())
            return kept
        reply = await self._ask(request)
        cache.put(digest, reply)
        return reply

    async def _ask(self, request: ChatRequest) -> ChatReply:
        expected = expected_cost(request, self._tariff)
        async with self._budget.room_for(_spending(expected)) as reservation:
            try:
                reply = await self._model.reply(request)
            except ToolFailure as failure:
                outcome = "try_again" if isinstance(failure, TryAgain) else "wont_work"
                self._record(request, outcome, Cost(), failure.reason)
                raise
            except BaseException as error:
                # Cancelled, or a bug, whose message may quote anything.
                self._record(request, "broken_off", Cost(), type(error).__name__)
                raise
            cost = actual_cost(reply, len(request.pictures), self._tariff, expected)
            reservation.settle(_spending(cost))
        self._record(request, "replied", cost)
        return reply

    def _record(self, request: ChatRequest, outcome: Outcome, cost: Cost, reason: str = "") -> None:
        self._ledger.add(
            CallRecord(
                **dict(cost),
                role=request.role,
                model=self._model.name,
                prompt_hash=request.prompt_hash,
                pictures=len(request.pictures),
                outcome=outcome,
                reason=reason,
            )
        )


def _spending(cost: Cost) -> Spending:
    return Spending(1, cost.tokens_in + cost.tokens_out, cost.seconds, cost.money)
