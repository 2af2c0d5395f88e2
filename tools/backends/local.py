"""A chat model in this process: requests that are made at the same time are answered in one batch.

Knows a function from prompts to replies; nothing of what is behind it. What such a model can't do
(a conversation, a temperature, pictures amid words) is refused: it would answer something else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tools.backends.chat import ChatReply, ChatRequest, NoConversation
from tools.failures import WontWork

if TYPE_CHECKING:
    from sae_core.lmm.adapter import Prompt


class Generated(NamedTuple):
    """What a model made of a prompt."""

    text: str
    tokens_in: int
    """Tokens that it read, those of pictures included."""
    tokens_out: int
    """Tokens that it wrote, with the one that ends a reply."""
    cut: bool = False
    """It wrote as many as it might, and had not ended."""


class Generate(Protocol):
    """Greedy replies to prompts, each of at most so many tokens."""

    def __call__(self, prompts: Sequence[Prompt], /, *, tokens: int) -> list[Generated]:
        """One reply to each prompt."""
        ...


class _Asked(NamedTuple):
    prompt: Prompt
    tokens: int
    answer: asyncio.Future[Generated]


class LocalChat:
    """A ChatModel around a function, which runs in a thread, once at a time, in one event loop."""

    def __init__(self, generate: Generate, *, name: str, identity: str, batch: int = 32) -> None:
        self.name, self.identity = name, identity
        self._generate, self._batch = generate, batch
        self._waiting: list[_Asked] = []
        self._worker: asyncio.Task[None] | None = None

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The model's reply to the request's one turn; a schema remains for the parser to check."""
        started = time.perf_counter()
        answer: asyncio.Future[Generated] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(_prompt(request), request.max_tokens, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        made = await answer
        seconds = time.perf_counter() - started
        return ChatReply(**made._asdict(), model=self.name, seconds=seconds)

    async def _work(self) -> None:
        while batch := self._next():
            # Waited for and not awaited: what goes wrong in there belongs to those who asked.
            run = asyncio.create_task(self._run(batch))
            await asyncio.wait([run])
            for place, asked in enumerate(batch):
                if asked.answer.done():
                    continue
                if error := run.exception():
                    asked.answer.set_exception(error)
                else:
                    asked.answer.set_result(run.result()[place])

    async def _run(self, batch: Sequence[_Asked]) -> list[Generated]:
        prompts, tokens = [asked.prompt for asked in batch], batch[0].tokens
        made = await asyncio.to_thread(self._generate, prompts, tokens=tokens)
        if len(made) != len(prompts):
            raise RuntimeError(f"{self.name}: {len(made)} replies to {len(prompts)} prompts")
        return made

    def _next(self) -> list[_Asked]:
        """Those that can go together with the one that waits longest; who gave up is left out."""
        here = [asked for asked in self._waiting if not asked.answer.done()]
        fitting = [place for place, asked in enumerate(here) if asked.tokens == here[0].tokens]
        taken = set(fitting[: self._batch])
        self._waiting = [asked for place, asked in enumerate(here) if place not in taken]
        return [here[place] for place in sorted(taken)]


def _prompt(request: ChatRequest) -> Prompt:
    """The request's one turn."""
    # Here, since it brings torch and transformers along.
    from sae_core.lmm.adapter import Prompt

    turn = request.messages[0]
    if len(request.messages) > 1 or turn.speaker != "user":
        raise NoConversation(
            "A model in this process takes one turn of the user's, no conversation"
        )
    if request.temperature > 0:
        raise WontWork(
            "A model in this process takes the likeliest token: it has no temperature "
            f"{request.temperature:g}. Try 0"
        )
    texts_last = sorted(turn.parts, key=lambda part: isinstance(part, str))
    if any(
        sorted_part is not part for sorted_part, part in zip(texts_last, turn.parts, strict=True)
    ):
        raise WontWork("A model in this process takes pictures first, then text")
    return Prompt(turn.pictures, turn.text)
