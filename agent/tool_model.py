"""A chat model of langchain's that is given tools, with all that langchain wants of one.

Knows how tools reach a model; nothing of who answers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

Tools = Sequence[Mapping[str, Any]]


class ToolModel(BaseChatModel):
    """Answers messages, knowing which tools it may call."""

    @abstractmethod
    async def answer(
        self, messages: Sequence[BaseMessage], tools: Tools, **settings: Any
    ) -> AIMessage:
        """The model's reply."""

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model with these tools."""
        given = [convert_to_openai_tool(one) for one in tools]
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=given, **chosen, **kwargs)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        *,
        tools: Tools = (),
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager
        reply = await self.answer(messages, tools, **kwargs)
        return ChatResult(generations=[ChatGeneration(message=reply)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del messages, stop, run_manager, kwargs
        raise NotImplementedError(f"{self._llm_type} answers asynchronously: call ainvoke")
