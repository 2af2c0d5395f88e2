"""A chat model that says what it was told to, message by message, and fails when there is no more.

For investigations that have to be repeated exactly, and for tests of whatever asks a model.
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
from pydantic import PrivateAttr

from sae_core.errors import UserError


class ScriptedModel(BaseChatModel):
    """Replies with its messages in their order, whatever it is asked."""

    replies: tuple[AIMessage, ...]
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)

    @property
    def asked(self) -> list[list[BaseMessage]]:
        """What it was asked so far."""
        return self._asked

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same model: its calls are written down already."""
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
        if len(self._asked) >= len(self.replies):
            raise UserError(
                f"The script has {len(self.replies)} replies, and one more was asked for. Add one"
            )
        self._asked.append(list(messages))
        return ChatResult(generations=[ChatGeneration(message=self.replies[len(self._asked) - 1])])
