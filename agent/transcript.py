"""What models were asked and what they said, word for word; and the same said once more.

A request is recorded with its pictures as artefacts and under who was asking, which is kept in a
context variable, as tasks share models. Knows requests and replies; nothing of what they are about,
nor of where records are kept.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict

from agent.findings import Cost
from agent.meter import metered
from tools.artefacts import ArtefactId, Artefacts
from tools.backends.chat import (
    AroundChat,
    ChatModel,
    ChatReply,
    ChatRequest,
    NoConversation,
    Speaker,
)
from tools.failures import ToolFailure, TryAgain, WontWork


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SaidPart(_Document):
    """A text or a picture."""

    text: str | None = None
    picture: ArtefactId | None = None


class Said(_Document):
    """One turn of a conversation."""

    speaker: Speaker | Literal["tool"]
    """`tool`: what a model was answered to a call of its own."""
    parts: tuple[SaidPart, ...]


class CallFailure(_Document):
    """Why there was no reply."""

    kind: Literal["TryAgain", "NoConversation", "WontWork"]
    reason: str

    @classmethod
    def of(cls, failure: ToolFailure) -> Self:
        """As it was raised."""
        if isinstance(failure, TryAgain):
            return cls(kind="TryAgain", reason=failure.reason)
        refused = isinstance(failure, NoConversation)
        return cls(kind="NoConversation" if refused else "WontWork", reason=failure.reason)

    def error(self) -> ToolFailure:
        """The same failure again."""
        kinds = {"TryAgain": TryAgain, "NoConversation": NoConversation, "WontWork": WontWork}
        return kinds[self.kind](self.reason)


class Call(_Document):
    """One request to a model, and what came of it."""

    digest: str
    """`ChatRequest.digest` with the model's identity."""
    run: str
    unit: str
    step: int
    role: str
    model: str
    identity: str
    prompt: str
    """The content hash of the prompt."""
    messages: tuple[Said, ...]
    settings: dict[str, Any]
    """Everything else that the reply depends on."""
    reply: ChatReply | None
    failure: CallFailure | None = None
    cost: Cost = Cost()
    at: datetime

    def said(self) -> ChatReply:
        """The reply, or the failure once more."""
        if self.failure is not None:
            raise self.failure.error()
        assert self.reply is not None, "a call has a reply or a failure"
        return self.reply


class Calls(Protocol):
    """Where calls are kept."""

    def record(self, call: Call) -> None:
        """Keep one."""
        ...


class Asking(NamedTuple):
    """Who asks."""

    run: str
    unit: str
    step: int


_ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)


@contextmanager
def asking(run: str, unit: str, step: int) -> Generator[None]:
    """Whatever is asked inside is asked for this step."""
    token = _ASKING.set(Asking(run, unit, step))
    try:
        yield
    finally:
        _ASKING.reset(token)


def who_asks() -> Asking | None:
    """The step at work, if there is one."""
    return _ASKING.get()


class TranscribedChat(AroundChat):
    """A ChatModel around another one, which records what is asked for a run."""

    def __init__(self, model: ChatModel, calls: Calls, artefacts: Artefacts) -> None:
        super().__init__(model)
        self._calls, self._artefacts = calls, artefacts

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The model's reply; what is asked for no run leaves no record."""
        asker = who_asks()
        if asker is None:
            return await self._model.reply(request)
        at = datetime.now(UTC)
        with metered() as meter:
            try:
                reply = await self._model.reply(request)
            except ToolFailure as failure:
                told = CallFailure.of(failure)
                await self._record(asker, request, at, meter.cost, failure=told)
                raise
        await self._record(asker, request, at, meter.cost, reply=reply)
        return reply

    async def _record(
        self,
        asker: Asking,
        request: ChatRequest,
        at: datetime,
        cost: Cost,
        *,
        reply: ChatReply | None = None,
        failure: CallFailure | None = None,
    ) -> None:
        def keep() -> None:
            self._calls.record(
                Call(
                    digest=request.digest(self.identity),
                    **asker._asdict(),
                    role=request.role,
                    model=self.name,
                    identity=self.identity,
                    prompt=request.prompt_hash,
                    messages=self._said(request),
                    settings=request.model_dump(exclude={"role", "messages", "prompt_hash"}),
                    reply=reply,
                    failure=failure,
                    cost=cost,
                    at=at,
                )
            )

        # Large pictures take a while to write, and other tasks are waiting for replies.
        await asyncio.to_thread(keep)

    def _said(self, request: ChatRequest) -> tuple[Said, ...]:
        return tuple(
            Said(
                speaker=message.speaker,
                parts=tuple(
                    SaidPart(text=part)
                    if isinstance(part, str)
                    else SaidPart(picture=self._artefacts.put_picture(part))
                    for part in message.parts
                ),
            )
            for message in request.messages
        )


class Asked(Protocol):
    """What is asked of a model, in whichever form."""

    @property
    def role(self) -> str:
        """Whose part the model plays."""
        ...

    @property
    def repeatable(self) -> bool:
        """Asked again, the model would say the same."""
        ...

    @property
    def last(self) -> str:
        """The words that were said last."""
        ...

    def digest(self, identity: str) -> str:
        """Of all that the reply of the model with this identity depends on."""
        ...


class NotRecorded(WontWork):
    """A replay asks what the run that it replays never asked."""


class Recorded:
    """Calls of one role in a run, to be found again by what was asked and for which step."""

    def __init__(self, calls: Sequence[Call]) -> None:
        """In order; a run that left another one may have asked several models."""
        self._identities = tuple(dict.fromkeys(call.identity for call in calls)) or ("nobody",)
        self._of_step: dict[tuple[str, int, str], list[Call]] = defaultdict(list)
        self._of_unit: dict[tuple[str, str], Call] = {}
        for call in calls:
            self._of_step[call.unit, call.step, call.digest].append(call)
            self._of_unit.setdefault((call.unit, call.digest), call)
        self._given: Counter[tuple[str, int, str]] = Counter()

    def next(self, request: Asked, asker: Asking | None) -> Call:
        """What came of the request, in the order of asking; NotRecorded if it was never made."""
        unit, step = (asker.unit, asker.step) if asker else ("", 0)
        known: Call | None = None
        again, digest = "", ""
        for identity in self._identities:
            digest = request.digest(identity)
            key = unit, step, digest
            turn, here = self._given[key], self._of_step.get(key, [])
            self._given[key] += 1
            if turn < len(here):
                return here[turn]
            again = f" a time {turn + 1}" if here else again
            known = known or (here[-1] if here else self._of_unit.get((unit, digest)))
        # A reply that does not change may be had more often than it was asked for.
        if known is not None and request.repeatable:
            return known
        raise NotRecorded(
            f"The run never asked its {request.role} {_short(request)!r} "
            f"(request {digest[:12]}) for {unit or 'nothing'}"
            f"{again}: code or settings have changed since. Ask anew instead of replaying"
        )


class ReplayedChat:
    """A ChatModel that says what a run's own model said to the same request."""

    def __init__(self, calls: Sequence[Call], missed: list[NotRecorded]) -> None:
        """The run's calls of one model, in order.

        What is asked and was never recorded goes to `missed`: with any, the replay is none.
        """
        self._identity = calls[0].identity if calls else "nobody"
        self._name = calls[0].model if calls else "nobody"
        self._recorded, self._missed = Recorded(calls), missed

    @property
    def identity(self) -> str:
        """Whose replies these are."""
        return self._identity

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    async def reply(self, request: ChatRequest) -> ChatReply:
        """What was said to the unit that asks, in the same order; NotRecorded if nothing was."""
        try:
            return self._recorded.next(request, who_asks()).said()
        except NotRecorded as missed:
            self._missed.append(missed)
            raise


def _short(request: Asked, most: int = 60) -> str:
    text = " ".join(request.last.split())
    return text if len(text) <= most else f"{text[: most - 3]}..."
