"""A served chat model's calls, word for word, and what it means when one of them fails.

Knows the messages of langchain, and the errors of the OpenAI client, which is loaded only where
there is a server; nothing of what is asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agent.findings import Cost, digest
from agent.transcript import Asking, Call, CallFailure, Said, SaidPart
from prompts import Prompt
from tools.backends.chat import ChatReply, Speaker
from tools.failures import ToolFailure, TryAgain, WontWork

_SPEAKERS: Mapping[str, Speaker | Literal["tool"]] = {
    "system": "system", "human": "user", "ai": "assistant", "tool": "tool",
}  # fmt: skip


class Usage(NamedTuple):
    """Tokens, as far as the server tells."""

    tokens_in: int = 0
    tokens_out: int = 0
    cached: int = 0


class Request(NamedTuple):
    """One request to a served model."""

    model: BaseChatModel
    prompt: Prompt
    messages: Sequence[BaseMessage]
    tools: Sequence[Mapping[str, Any]]
    at: datetime

    def call(self, asker: Asking, cost: Cost, came: AIMessage | ToolFailure) -> Call:
        """The request as a record, with what came of it."""
        said = tuple(_said(message) for message in self.messages)
        settings = {**_plain(self.model._identifying_params), "tools": list(self.tools)}
        failed = isinstance(came, ToolFailure)
        name = name_of(self.model, None if failed else came)
        server = getattr(self.model, "openai_api_base", None)
        identity = json.dumps({"base_url": server, "model": name_of(self.model)})
        return Call(
            digest=digest(identity, [one.model_dump() for one in said], settings),
            **asker._asdict(),
            role=self.prompt.role,
            model=name,
            identity=identity,
            prompt=self.prompt.content_hash,
            messages=said,
            settings=settings,
            reply=None if failed else _reply(came, name, cost.seconds),
            failure=CallFailure.of(came) if failed else None,
            cost=cost,
            at=self.at,
        )


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


def failure_of(error: Exception) -> ToolFailure | None:
    """The failure behind an error of the client; None for any other error, which is a bug."""
    client = sys.modules.get("openai")
    if client is None or not isinstance(error, client.OpenAIError):
        return None
    passing = (client.APIConnectionError, client.RateLimitError, client.InternalServerError)
    if isinstance(error, passing):
        return TryAgain(f"The planner's server gave no reply: {error}. Is it running?")
    return WontWork(f"The planner's server refused: {error}. Check servers.planner in the profile")


def _reply(reply: AIMessage, name: str, seconds: float) -> ChatReply:
    usage = None if reply.usage_metadata is None else usage_of(reply)
    return ChatReply(
        text="\n".join(_texts(reply)),
        model=name,
        cut=reply.response_metadata.get("finish_reason") == "length",
        tokens_in=usage and usage.tokens_in,
        tokens_out=usage and usage.tokens_out,
        tokens_cached=usage and usage.cached,
        seconds=seconds,
    )


def _said(message: BaseMessage) -> Said:
    parts = tuple(SaidPart(text=text) for text in _texts(message))
    return Said(speaker=_SPEAKERS[message.type], parts=parts)


def _texts(message: BaseMessage) -> Iterator[str]:
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


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(parameters), default=str))
