"""A chat model that plans without weights, server or network, by rules and a small classifier.

It takes the same messages and gives the same calls as a served model with tools, so everything
around it is the same code. It plans and does nothing else, and the same words always get the same
reply. Knows messages; how a request is understood is `agent.planner.understanding`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agent.planner.calls import call_of
from agent.planner.context import remembered
from agent.planner.conversation import ASSUMED, heard
from agent.planner.understanding import Unclear, understood


class OfflinePlanner(BaseChatModel):
    """Answers the last request with calls, or with why there are none."""

    @property
    def _llm_type(self) -> str:
        return "offline-planner"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Itself: it knows the tasks already, and no other tools."""
        del tools, tool_choice, kwargs
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs
        return ChatResult(generations=[ChatGeneration(message=_reply(messages))])


def _reply(messages: Sequence[BaseMessage]) -> AIMessage:
    conversation = heard(messages)
    made = understood(conversation.request, remembered(conversation))
    if isinstance(made, Unclear):
        return AIMessage(made.why)
    return AIMessage(
        "\n".join(ASSUMED + line for line in made.assumed),
        tool_calls=[call_of(task, f"call-{number}") for number, task in enumerate(made.tasks)],
    )
