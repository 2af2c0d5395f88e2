"""A chat model that says what it was told to, message by message, and fails when there is no more.

For investigations that have to be repeated exactly, and for tests of whatever asks a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import PrivateAttr

from agent.tool_model import ToolModel, Tools
from sae_core.errors import UserError


class ScriptedModel(ToolModel):
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

    async def answer(
        self, messages: Sequence[BaseMessage], tools: Tools, **settings: Any
    ) -> AIMessage:
        """The next reply: its calls are written down already."""
        del tools, settings
        if len(self._asked) >= len(self.replies):
            raise UserError(
                f"The script has {len(self.replies)} replies, and one more was asked for. Add one"
            )
        self._asked.append(list(messages))
        return self.replies[len(self._asked) - 1]
