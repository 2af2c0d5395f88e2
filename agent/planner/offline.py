"""A chat model that plans without weights, server or network, by rules and a small classifier.

It takes the same messages and gives the same calls as a served model with tools, so everything
around it is the same code. It plans and does nothing else, and the same words always get the same
reply. Knows messages; how a request is understood is `agent.planner.understanding`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from agent.planner.calls import call_of
from agent.planner.context import remembered
from agent.planner.conversation import ASSUMED, heard
from agent.planner.understanding import Unclear, understood
from agent.tool_model import ToolModel, Tools


class OfflinePlanner(ToolModel):
    """Answers the last request with calls, or with why there are none."""

    @property
    def _llm_type(self) -> str:
        return "offline-planner"

    async def answer(
        self, messages: Sequence[BaseMessage], tools: Tools, **settings: Any
    ) -> AIMessage:
        """It knows the tasks already, and no other tools."""
        del tools, settings
        return _reply(messages)


def _reply(messages: Sequence[BaseMessage]) -> AIMessage:
    conversation = heard(messages)
    made = understood(conversation.request, remembered(conversation))
    if isinstance(made, Unclear):
        return AIMessage(made.why)
    return AIMessage(
        "\n".join(ASSUMED + line for line in made.assumed),
        tool_calls=[call_of(task, f"call-{number}") for number, task in enumerate(made.tasks)],
    )
