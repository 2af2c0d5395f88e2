"""A planner that asks a chat model with tools: a served one, or the offline one.

Knows the conversation with the model: what it is told, that its calls are checked, and how often it
may mend them. It knows nothing of language itself; what could be asked instead of a request that
was not understood is `agent.planner.alternatives`' knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import ValidationError

from agent.plan import NotUnderstood, Plan, Planned, Task
from agent.planner.alternatives import alternatives
from agent.planner.calls import task_of, tools
from agent.planner.conversation import Exchange, plan_of, told
from prompts import load

MENDS = 2
"""So many times a model may mend calls that were refused."""
LONGEST = 2000
"""Characters of a request, at most."""
LONGEST_WHY = 300


class _Read(NamedTuple):
    tasks: tuple[Task, ...]
    faults: tuple[ToolMessage, ...]
    """What is wrong with which call."""


class ChatPlanner:
    """Plans by asking a chat model."""

    def __init__(self, model: BaseChatModel) -> None:
        self._prompt, self._bound = load("plan"), model.bind_tools(tools())

    async def plan(self, request: str, before: Sequence[Exchange] = ()) -> Planned:
        """What the model makes of the request, checked."""
        if not request.strip():
            return _not_understood("The request is empty", request)
        if len(request) > LONGEST:
            why = f"The request has {len(request)} characters, and at most {LONGEST} are read"
            return _not_understood(why, request[:LONGEST])
        messages = [SystemMessage(self._prompt.render()), *told(before), HumanMessage(request)]
        for _ in range(1 + MENDS):
            reply = await self._bound.ainvoke(messages)
            if not reply.tool_calls and not reply.invalid_tool_calls:
                return _not_understood(reply.text or "The planner gave no answer", request)
            plan = _planned(reply)
            if isinstance(plan, Plan):
                return plan
            messages += [reply, *plan]
        why = f"The planner's calls were refused {1 + MENDS} times: {messages[-1].text}"
        return _not_understood(why, request)


def _planned(reply: AIMessage) -> Plan | list[ToolMessage]:
    """The plan, or what the model is told of its faults: an answer to each of its calls."""
    read = _read(reply)
    if not read.faults:
        try:
            return plan_of(read.tasks, reply.text)
        except ValidationError as error:
            return [_refusal(call["id"], _line(error)) for call in reply.tool_calls]
    wrong = {fault.tool_call_id for fault in read.faults}
    fine = (call["id"] or "" for call in reply.tool_calls if (call["id"] or "") not in wrong)
    return [
        *read.faults,
        *(
            ToolMessage("Fine. Call it again, with the others mended.", tool_call_id=one)
            for one in fine
        ),
    ]


def _read(reply: AIMessage) -> _Read:
    tasks, faults = [], []
    for call in reply.tool_calls:
        try:
            tasks.append(task_of(call["name"], call["args"]))
        except ValueError as error:
            faults.append(_refusal(call["id"], _line(error)))
    faults += [
        _refusal(call["id"], f"{call['name']}: the arguments are not JSON")
        for call in reply.invalid_tool_calls
    ]
    return _Read(tuple(tasks), tuple(faults))


def _refusal(call: str | None, why: str) -> ToolMessage:
    return ToolMessage(f"Refused: {why}", tool_call_id=call or "", status="error")


def _line(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)
    )


def _not_understood(why: str, request: str) -> NotUnderstood:
    line = " ".join(why.split())
    short = line if len(line) <= LONGEST_WHY else f"{line[: LONGEST_WHY - 3]}..."
    return NotUnderstood(why=short, instead=alternatives(request))
