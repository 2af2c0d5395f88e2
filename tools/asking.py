"""Asks a model: a prompt with its variables and pictures in, a typed answer out.

A reply that its parser can't read is asked for again, twice at most; then there is a failure, never
an answer. Knows prompts, requests and repairs; nothing of what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from PIL import Image

import prompts
from tools.backends.chat import ChatModel, ChatReply, ChatRequest, Message, NoConversation
from tools.failures import ToolFailure, WontWork
from tools.replies import Unreadable
from tools.wording import plain, unmarked

REPAIRS = 2
LONGEST_TOKEN = 8
"""Characters: a server that sends more text than was asked for does not get all of it back."""
T = TypeVar("T")


class Unparsable(WontWork):
    """A model does not keep to the form that a prompt asks for."""


class Question(NamedTuple, Generic[T]):
    """What is asked, and how the reply is read."""

    prompt: prompts.Prompt
    read: Callable[[str], T]
    """Raises Unreadable."""
    variables: dict[str, str]
    """Data of whatever origin: nothing in them is expanded, starts a line or marks a turn."""
    pictures: tuple[Image.Image, ...] = ()
    tokens: int = 512
    """A longer reply is cut off, and can't be read."""

    def request(self) -> ChatRequest:
        """One turn: pictures, then text."""
        data = {name: unmarked(plain(value)) for name, value in self.variables.items()}
        pictures = (_bare(picture) for picture in self.pictures)
        return ChatRequest(
            role=self.prompt.role,
            messages=(Message("user", (*pictures, self.prompt.render(**data))),),
            prompt_hash=self.prompt.content_hash,
            max_tokens=self.tokens,
        )


@cache
def prompt(name: str) -> prompts.Prompt:
    """One of our prompts."""
    return prompts.load(name)


class _Turn(NamedTuple):
    request: ChatRequest
    reply: ChatReply


async def asked(model: ChatModel, question: Question[T]) -> T:
    """The model's answer; Unparsable if there is none after all repairs."""
    request, fault = question.request(), ""
    turn = _Turn(request, await model.reply(request))
    for left in reversed(range(REPAIRS + 1)):
        try:
            return _read(turn.reply, question)
        except Unreadable as error:
            fault = str(error)
        if left:
            turn = await _repaired(model, turn, fault)
    raise Unparsable(
        f"{model.name} does not keep to the form of the prompt {question.prompt.name} after "
        f"{REPAIRS} repairs: {fault}. Try another {question.prompt.role}"
    )


async def together(calls: Iterable[Awaitable[T]]) -> list[T | ToolFailure]:
    """What calls made at the same time give, in order, with a failure where there is nothing.

    Fails itself where each of them does, and where the budget is spent.
    """
    found = await asyncio.gather(*calls, return_exceptions=True)
    given: list[T | ToolFailure] = []
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, ToolFailure):
            raise one
        given.append(one)
    failures = [one for one in given if isinstance(one, ToolFailure)]
    if failures and len(failures) == len(given):
        raise failures[0]
    return given


def _read(reply: ChatReply, question: Question[T]) -> T:
    if reply.cut:
        raise Unreadable(f"it is longer than {question.tokens} tokens")
    return question.read(reply.text)


async def _repaired(model: ChatModel, turn: _Turn, fault: str) -> _Turn:
    """One exchange further on; where the model takes no conversation, the first turn once more."""
    request, complaint = turn.request, prompt("repair").render(fault=fault)
    said = unmarked(turn.reply.text[: LONGEST_TOKEN * request.max_tokens])
    if said.strip():
        added = (Message("assistant", (said,)), Message("user", (complaint,)))
        longer = request.model_copy(update={"messages": (*request.messages, *added)})
        try:
            return _Turn(longer, await model.reply(longer))
        except NoConversation:
            pass
    first = request.messages[0]
    again = Message("user", (*first.pictures, f"{first.text}\n\n{complaint}"))
    return _Turn(request, await model.reply(request.model_copy(update={"messages": (again,)})))


def _bare(picture: Image.Image) -> Image.Image:
    """The pixels alone: what else a picture carries may be the answer."""
    bare = picture.convert("RGB").copy()
    bare.info = {}
    return bare
