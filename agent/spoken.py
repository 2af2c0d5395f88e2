"""The messages of langchain as records of calls, and records as messages again.

Knows both forms; nothing of who is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage

from agent.findings import digest
from agent.tool_model import Tools
from agent.transcript import Said, SaidPart
from prompts import Prompt
from tools.backends.chat import ChatReply, Speaker

_SPEAKERS: Mapping[str, Speaker | Literal["tool"]] = {
    "system": "system", "human": "user", "ai": "assistant", "tool": "tool",
}  # fmt: skip
CALL = {"id", "tool", "arguments"}


class Request(NamedTuple):
    """One request to a served model."""

    prompt: Prompt
    messages: Sequence[BaseMessage]
    tools: Tools

    @property
    def role(self) -> str:
        """Whose part the model plays."""
        return self.prompt.role

    @property
    def repeatable(self) -> bool:
        """A model that chooses what to do may say something else each time."""
        return False

    @property
    def said(self) -> tuple[Said, ...]:
        """The conversation so far."""
        return tuple(
            Said(
                speaker=_SPEAKERS[message.type],
                parts=tuple(SaidPart(text=text) for text in texts(message)),
            )
            for message in self.messages
        )

    @property
    def last(self) -> str:
        """What was said last."""
        return "\n".join(texts(self.messages[-1]))

    def digest(self, identity: str) -> str:
        """Of all that the reply of the model with this identity depends on."""
        return digest(identity, [one.model_dump() for one in self.said], list(self.tools))


class Usage(NamedTuple):
    """Tokens, as far as the server tells."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0


def name_of(model: BaseChatModel, reply: AIMessage | None = None) -> str:
    """The model's name, as the server gives it where it has replied."""
    told = reply.response_metadata.get("model_name") if reply is not None else None
    return str(told or model._identifying_params.get("model_name") or model._llm_type)


def usage_of(reply: AIMessage) -> Usage:
    """What a reply took; nothing where the server does not tell."""
    if (usage := reply.usage_metadata) is None:
        return Usage()
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    return Usage(usage["input_tokens"], usage["output_tokens"], cached)


def message_of(reply: ChatReply) -> AIMessage:
    """A kept reply as the message that it was: its words, and the calls that end it."""
    lines = reply.text.splitlines()
    calls: list[ToolCall] = []
    while lines and (call := _call_in(lines[-1])) is not None:
        calls.insert(0, call)
        lines.pop()
    return AIMessage("\n".join(lines), tool_calls=calls)


def _call_in(line: str) -> ToolCall | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or set(told) != CALL:
        return None
    return ToolCall(name=told["tool"], args=told["arguments"], id=told["id"])


def reply_of(reply: AIMessage, name: str, seconds: float) -> ChatReply:
    """A message as it is kept."""
    usage = None if reply.usage_metadata is None else usage_of(reply)
    return ChatReply(
        text="\n".join(texts(reply)),
        model=name,
        cut=reply.response_metadata.get("finish_reason") == "length",
        tokens_in=usage and usage.tokens_in,
        tokens_out=usage and usage.tokens_out,
        tokens_cached=usage and usage.cached,
        seconds=seconds,
    )


def texts(message: BaseMessage) -> Iterator[str]:
    """What a message says, and each call in it as JSON."""
    if isinstance(message, ToolMessage):
        yield json.dumps({"answers": message.tool_call_id})
    if message.text:
        yield message.text
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            told = {"id": call["id"], "tool": call["name"], "arguments": call["args"]}
            yield json.dumps(told)
        for broken in message.invalid_tool_calls:
            told = {"id": broken["id"], "tool": broken["name"], "unreadable": broken["args"]}
            yield json.dumps(told)


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them."""
    return json.loads(json.dumps(dict(parameters), default=str))
