"""The chat completions of OpenAI's interface: a request as JSON, and JSON as a reply.

Knows the two documents; nothing of HTTP. What a server sends is checked, never trusted.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from PIL import Image
from pydantic import BaseModel, Field, ValidationError

from tools.backends.chat import ChatReply, ChatRequest, Message
from tools.backends.config import ServerConfig
from tools.backends.pictures import data_uri
from tools.failures import TryAgain, WontWork

Count = Annotated[int, Field(ge=0, le=10**9)]


class _Details(BaseModel):
    cached_tokens: Count | None = None


class _Usage(BaseModel):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    prompt_tokens_details: _Details | None = None


class _Message(BaseModel):
    content: str | None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: _Usage | None = None


class _Fault(BaseModel):
    message: str


class _Complaint(BaseModel):
    error: _Fault | str


def payload_of(request: ChatRequest, config: ServerConfig, *, structured: bool) -> bytes:
    """The request's body; structured, the server is asked to keep to the schema."""
    marked = config.multi_images and len(request.pictures) > 1
    payload: dict[str, Any] = {
        "model": config.model,
        "messages": [_message(turn, config.longest_side, marked) for turn in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": False,
    }
    if request.seed is not None:
        payload["seed"] = request.seed
    if structured:
        payload["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": request.reply_schema, "strict": True},
        }
    return json.dumps(payload).encode()


def reply_in(body: bytes, config: ServerConfig) -> ChatReply:
    """The reply in a response's body.

    A document that is no JSON was lost on the way; one that is, but says something else, was meant.
    """
    try:
        said = _Completion.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)[0]
        fault, place = details["msg"], ".".join(str(part) for part in details["loc"])
        broken = details["type"] == "json_invalid"
    else:
        return _reply(said, config)
    if broken:
        raise TryAgain(f"{config.base_url} sends a reply that is no JSON: {fault}")
    raise WontWork(
        f"{config.base_url} sends no chat completion: {place}: {fault}. Try lmmscope doctor"
    )


def complaint_in(body: bytes) -> str:
    """What the server says is wrong, in its own words."""
    try:
        error = _Complaint.model_validate_json(body).error
    except ValidationError:
        return body.decode(errors="replace")
    return error if isinstance(error, str) else error.message


def _reply(said: _Completion, config: ServerConfig) -> ChatReply:
    choice, usage = said.choices[0], said.usage or _Usage()
    if choice.finish_reason == "content_filter":
        raise WontWork(f"{config.base_url} holds the reply back: content_filter")
    if choice.message.content is None:
        raise WontWork(
            f"{config.base_url} sends a reply without text (it ended by {choice.finish_reason})"
        )
    details = usage.prompt_tokens_details or _Details()
    return ChatReply(
        text=choice.message.content,
        model=said.model or config.model,
        cut=choice.finish_reason == "length",
        tokens_in=usage.prompt_tokens,
        tokens_out=usage.completion_tokens,
        tokens_cached=details.cached_tokens,
    )


def _message(message: Message, longest_side: int, marked: bool) -> dict[str, Any]:
    # Servers of models without eyes know only a plain text.
    if not message.pictures:
        return {"role": message.speaker, "content": message.text}
    parts = [
        _picture(part, longest_side, marked)
        if isinstance(part, Image.Image)
        else {"type": "text", "text": part}
        for part in message.parts
    ]
    return {"role": message.speaker, "content": parts}


def _picture(picture: Image.Image, longest_side: int, marked: bool) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": "image_url",
        "image_url": {"url": data_uri(picture, longest_side)},
    }
    if marked:
        part["modalities"] = "multi-images"
    return part
