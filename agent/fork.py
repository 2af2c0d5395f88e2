"""A run that leaves an earlier one at an event: what both share, and what it finds out itself.

The history is the earlier run's record: its plan, what its models said, what stood answered. Sealed
pictures are no part of it, since an opening that is shared would be a second look for nothing: a
fork's findings have keys of their own, and each of its openings counts as one more try. Knows
records; nothing of how a run goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agent.desk import Rules
from agent.events import Event
from agent.findings import Cost, FeatureFinding, Provenance
from agent.meter import spend
from agent.plan import Plan
from agent.provenance import feature_key
from agent.store import Reader, RunRecord
from agent.transcript import Asked, Asking, Call, Calls, NotRecorded, Recorded, who_asks
from sae_core.errors import UserError
from tools.backends.chat import AroundChat, ChatModel, ChatReply, ChatRequest

Earlier = Callable[[str, int], FeatureFinding | None]
"""What is known already for a unit about its feature, from before the run."""


class Fork(NamedTuple):
    """Where a run leaves another one."""

    run: str
    """The run that is left."""
    event: str
    """By its name."""
    unit: str
    step: int
    """The first step that is the fork's own."""
    at: datetime
    begun: frozenset[str]
    """Which other units had begun: they go on as they did, for as long as there is a record."""
    question: str
    before: list[dict[str, Any]]
    """The conversation, as `agent.conversation` writes it."""
    plan: Plan | None
    """None where the plan itself is to be made anew."""

    def shares(self, unit: str, step: int) -> bool:
        """Whether a step is one of the history."""
        return step < self.step if unit == self.unit else unit in self.begun


def fork_at(store: Reader, run: str, event: str) -> Fork:
    """A run left at an event: RUN/UNIT.STEP.PLACE, or UNIT.STEP for the first one of a step."""
    record = store.run(run)
    events = store.events(record.id)
    left = _event(store, record, events, event)
    asked = next((one for one in events if one.kind == "asked"), events[0])
    planning = (left.unit, left.step) == (asked.unit, asked.step)
    if record.plan is None and not planning:
        raise UserError(
            f"The run {record.id} came to no plan, so nothing follows from {left.name}. Try "
            f"lmmscope runs fork {record.id} --at {asked.unit}.{asked.step}"
        )
    return Fork(
        run=record.id,
        event=left.name,
        unit=left.unit,
        step=left.step,
        at=left.at,
        begun=frozenset(one.unit for one in events if one.at < left.at) - {left.unit},
        question=record.question,
        before=(asked.result or {}).get("before") or [],
        plan=None if planning else record.plan,
    )


def origin(store: Reader, record: RunRecord) -> Fork | None:
    """Where a run left another one, if it did."""
    event = record.provenance.fork
    return fork_at(store, event.partition("/")[0], event) if event else None


def earlier(store: Reader, run: str, before: datetime, but: str = "") -> Earlier:
    """What stood answered for a run at a time, by its own questions or the one that it left.

    `but` is a unit of which nothing stands: the one in which the run is left.
    """
    record, rules = store.run(run), rules_of(store, run)
    left = origin(store, record)
    above = earlier(store, left.run, left.at, left.unit) if left else None

    def find(unit: str, feature: int) -> FeatureFinding | None:
        if unit == but:
            return None
        found = store.done(feature_key(record.provenance, feature, rules), before)
        if isinstance(found, FeatureFinding):
            return found
        return above(unit, feature) if above else None

    return find


def rules_of(store: Reader, run: str) -> Rules:
    """How far a run went, as its first event says."""
    asked = next((one for one in store.events(run) if one.kind == "asked"), None)
    kept = (asked.result if asked else None) or {}
    return Rules.model_validate(kept.get("rules") or {})


def same_features(left: Fork, then: Provenance, now: Provenance) -> None:
    """UserError where the features of a run's history are others now."""
    named = ("model", "hook", "coder", "levels", "explore pictures")
    before, after = _looked_at(then), _looked_at(now)
    for name, one, other in zip(named, before, after, strict=True):
        if one != other:
            raise UserError(
                f"The run {left.run} can't be left for another {name}: it had {one or 'none'}, "
                f"and now there is {other or 'none'}. Choose its profile, or ask anew"
            )


class History:
    """What was said before the run left another one."""

    def __init__(self, shared: Callable[[str], Sequence[Call]], calls: Calls, left: Fork) -> None:
        """`shared` gives a unit's calls of one role; what is repeated goes to `calls`."""
        self._shared, self._calls, self._left = shared, calls, left
        self._recorded: dict[str, Recorded] = {}

    async def said(self, request: Asked, asker: Asking) -> Call | None:
        """What was said; None where nothing was, and the history does not say that it was."""
        if not self._left.shares(asker.unit, asker.step):
            return None
        if asker.unit not in self._recorded:
            self._recorded[asker.unit] = Recorded(self._shared(asker.unit))
        try:
            call = self._recorded[asker.unit].next(request, asker)
        except NotRecorded:
            if asker.unit != self._left.unit:
                return None
            raise self._other_history(request, asker) from None
        return await self._again(call, asker)

    async def _again(self, call: Call, asker: Asking) -> Call:
        """The call once more, as one of the fork's, under the name of whoever said it."""
        reply = call.reply and call.reply.model_copy(update={"from_cache": True})
        cost = Cost(cached=int(reply is not None))
        spend(cost)
        own = {**asker._asdict(), "reply": reply, "cost": cost, "at": datetime.now(UTC)}
        again = call.model_copy(update=own)
        await asyncio.to_thread(self._calls.record, again)
        return again

    def _other_history(self, request: Asked, asker: Asking) -> UserError:
        return UserError(
            f"The run {self._left.run} never asked its {request.role} what {asker.unit} asks it "
            f"now in step {asker.step}: code or settings have changed since. Try lmmscope runs "
            f"fork {self._left.run} --at {asker.unit}.{asker.step}"
        )


class ForkedChat(AroundChat):
    """A ChatModel that says what was said in the history, and asks a model from then on."""

    def __init__(self, model: ChatModel, history: History) -> None:
        super().__init__(model)
        self._history = history

    async def reply(self, request: ChatRequest) -> ChatReply:
        """What was said, or the model's reply."""
        asker = who_asks()
        known = None if asker is None else await self._history.said(request, asker)
        return await self._model.reply(request) if known is None else known.said()


def _event(store: Reader, record: RunRecord, events: Sequence[Event], name: str) -> Event:
    short = name.removeprefix(f"{record.id}/")
    for one in events:
        # Of a step the first event comes first, also where its place is not said.
        if short in (f"{one.unit}.{one.step}", f"{one.unit}.{one.step}.{one.place}"):
            return one
    other = name.partition("/")[0]
    if other != record.id and any(one.id == other for one in store.runs_begun()):
        raise UserError(
            f"The event {name} is one of the run {other}, not of {record.id}. Try lmmscope runs "
            f"fork {other} --at {name}"
        )
    last = f"its last is {events[-1].name}" if events else "it has none"
    raise UserError(
        f"The run {record.id} has no event {name!r}: {last}. Try lmmscope runs show {record.id}"
    )


def _looked_at(known: Provenance) -> tuple[str, ...]:
    return known.model, known.hook, known.coder, known.levels, known.pictures.get("explore", "")
