"""What planners are asked, and what was said before, as a chat model reads it.

The whole conversation travels as messages, so the offline planner and a served one know equally
much of it. Knows exchanges; nothing of how a request is understood.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.plan import NotUnderstood, Plan, Planned, Task
from agent.planner.calls import call_of, task_of

ASSUMED = "Assumed: "
"""How a line begins, beside the calls of a plan, that says what was taken for granted."""


class Named(NamedTuple):
    """Something that an answer named: a feature, a finding, or the finding of a feature."""

    feature: int | None = None
    finding: str | None = None


RECALLED = 100
"""So many of the features that an answer named can be meant by a follow-up; a batch has more."""


class Exchange(NamedTuple):
    """A request, what was made of it, and what came out. Pydantic reads and writes it as JSON."""

    request: str
    plan: Planned
    answer: str = ""
    findings: tuple[Named, ...] = ()
    """In the order in which the answer names them."""


class Planner(Protocol):
    """Whoever makes plans of requests."""

    async def plan(self, request: str, before: Sequence[Exchange] = ()) -> Planned:
        """What to do for the request, or why it can't be told; `before` is the conversation."""
        ...


def told(before: Sequence[Exchange]) -> list[BaseMessage]:
    """The conversation so far, as messages."""
    return [message for place, one in enumerate(before) for message in _messages(one, place)]


def _messages(exchange: Exchange, place: int) -> list[BaseMessage]:
    asked, plan = HumanMessage(exchange.request), exchange.plan
    if isinstance(plan, NotUnderstood):
        return [asked, AIMessage(" ".join((plan.why, *plan.instead)))]
    calls = [call_of(task, f"call-{place}-{number}") for number, task in enumerate(plan.tasks)]
    named = json.dumps([one._asdict() for one in exchange.findings[:RECALLED]])
    return [
        asked,
        AIMessage("\n".join(ASSUMED + line for line in plan.assumed), tool_calls=calls),
        # Each call has to be answered; what the answer named belongs to all of them together.
        *(ToolMessage(named, tool_call_id=call["id"] or "") for call in calls),
        AIMessage(exchange.answer),
    ]


class Heard(NamedTuple):
    """The conversation as an offline planner remembers it."""

    request: str
    """What is asked now."""
    tasks: tuple[tuple[Task, ...], ...] = ()
    """What was done for each request before."""
    findings: tuple[tuple[Named, ...], ...] = ()
    """What each answer named."""


def heard(messages: Sequence[BaseMessage]) -> Heard:
    """The messages read back: what `told` wrote, then the request."""
    places = [place for place, one in enumerate(messages) if isinstance(one, HumanMessage)]
    if not places:
        raise ValueError("a planner is asked by a human's message, and there is none")
    rounds = [messages[at:end] for at, end in pairwise(places)]
    return Heard(
        messages[places[-1]].text,
        tuple(_tasks(one) for one in rounds),
        tuple(_named(one) for one in rounds),
    )


def _tasks(messages: Sequence[BaseMessage]) -> tuple[Task, ...]:
    said = [one for one in messages if isinstance(one, AIMessage)]
    return tuple(task_of(call["name"], call["args"]) for one in said for call in one.tool_calls)


def _named(messages: Sequence[BaseMessage]) -> tuple[Named, ...]:
    told_of = [one for one in messages if isinstance(one, ToolMessage)]
    return tuple(Named(**one) for one in json.loads(told_of[0].text)) if told_of else ()


def assumed_in(text: str) -> tuple[str, ...]:
    """What a model says that it took for granted."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line.removeprefix(ASSUMED) for line in lines if line.startswith(ASSUMED))


def plan_of(tasks: Sequence[Task], text: str) -> Plan:
    """The plan that a model's calls and the text beside them make."""
    return Plan(tasks=tuple(tasks), assumed=assumed_in(text))
