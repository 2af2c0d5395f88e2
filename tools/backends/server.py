"""A chat model on an OpenAI-compatible server: SGLang, vLLM, transformers, a hosted one.

Knows which answers are worth another attempt. It knows nothing of caches and money
(`tools.backends.metered`), nor of what a reply should say.
"""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import Self

from tools.backends.breaker import Breaker, Busy, CircuitOpen
from tools.backends.chat import ChatReply, ChatRequest
from tools.backends.config import ServerConfig
from tools.backends.exchange import Answer, Exchange
from tools.backends.key import HostKey
from tools.backends.patience import Patience, Pause, retry_after
from tools.backends.throttle import Throttle
from tools.backends.wire import complaint_in, payload_of, reply_in
from tools.failures import ToolFailure, TryAgain, WontWork

PATH = "/v1/chat/completions"
PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
"""Complaints about a request that are over by the next one."""
UNUSABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
"""How servers say that they do not know a parameter."""


class Refused(WontWork):
    """The server says that the request is wrong."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class ServerChat:
    """A ChatModel over HTTP. Belongs to one event loop; leaving it closes its connections."""

    def __init__(self, config: ServerConfig, pause: Pause = asyncio.sleep) -> None:
        self._config, self._pause = config, pause
        self._exchange = Exchange(config)
        self._throttle = Throttle(config.concurrency)
        self._breaker = Breaker(config.base_url, config.failures, config.rest)
        self._refused_schemas: set[str] = set()

    @property
    def name(self) -> str:
        """The model's name on the server."""
        return self._config.model

    @property
    def identity(self) -> str:
        """The server, its model, and how pictures are sent."""
        shown = {"base_url", "model", "longest_side", "multi_images"}
        return self._config.model_dump_json(include=shown)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exchange.close()

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The server's reply; without a schema, if it refuses the one that is asked for."""
        started, patience = time.perf_counter(), Patience(self._config, self._pause)
        schema = json.dumps(request.reply_schema, sort_keys=True)
        structured = request.reply_schema is not None and schema not in self._refused_schemas
        try:
            reply = await self._persist(request, patience, structured)
        except Refused as refusal:
            if not structured or refusal.status not in UNUSABLE:
                raise
            reply = await self._persist(request, patience, structured=False)
            # Only now is it known that the schema was to blame.
            self._refused_schemas.add(schema)
        return reply.model_copy(update={"seconds": time.perf_counter() - started})

    async def _persist(
        self, request: ChatRequest, patience: Patience, structured: bool
    ) -> ChatReply:
        payload = payload_of(request, self._config, structured=structured)
        while True:
            try:
                async with self._throttle.slot():
                    with self._breaker.attempt():
                        answer = await self._exchange.post(PATH, payload, patience.begin())
                        return self._reply(answer)
            except CircuitOpen:
                raise
            except TryAgain as failure:
                await patience.wait(failure)

    def _reply(self, answer: Answer) -> ChatReply:
        if answer.status != HTTPStatus.OK:
            raise refusal(answer, self._config, self._exchange.key)
        reply = reply_in(answer.body, self._config)
        hidden = self._exchange.key.hidden
        return reply.model_copy(update={"text": hidden(reply.text), "model": hidden(reply.model)})


def refusal(answer: Answer, config: ServerConfig, key: HostKey) -> ToolFailure:
    """What an answer stands for that is no reply."""
    status, base = answer.status, config.base_url
    said = key.hidden(complaint_in(answer.body))
    reason = f"{base} answers {status} to {config.model!r}: {said or 'nothing more'}"
    after = retry_after(answer.headers.get("Retry-After"))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy(reason, after)
    if status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(reason, after)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return WontWork(
            f"{base} answers {status}, a redirect, which is never followed. "
            "Put the server's own address into the profile"
        )
    return Refused(reason, status)
