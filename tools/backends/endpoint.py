"""One path of calls to a server: in turn, with patience, and not at all while the server is down.

Knows which answers are worth another attempt; nothing of what is asked, or of what a good answer
says: its reader knows that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Self, TypeVar

from tools.backends.breaker import Breaker, Busy, CircuitOpen
from tools.backends.config import ServerConfig
from tools.backends.exchange import JSON, Answer, Exchange
from tools.backends.patience import Patience, Pause, retry_after
from tools.backends.throttle import Throttle
from tools.backends.wire import complaint_in
from tools.failures import ToolFailure, TryAgain, WontWork

PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)
"""Complaints about a request that are over by the next one."""
T = TypeVar("T")


class Refused(WontWork):
    """The server says that the request is wrong."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Endpoint:
    """A server to call. Belongs to one event loop; leaving it closes its connections."""

    def __init__(self, config: ServerConfig, pause: Pause = asyncio.sleep) -> None:
        self._config, self._pause = config, pause
        self._exchange = Exchange(config)
        self._throttle = Throttle(config.concurrency)
        self._breaker = Breaker(config.base_url, config.failures, config.rest)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exchange.close()

    def _patience(self) -> Patience:
        """What is there for one call."""
        return Patience(self._config, self._pause)

    async def _called(
        self,
        path: str,
        body: bytes,
        read: Callable[[Answer], T],
        patience: Patience,
        kind: str = JSON,
    ) -> T:
        """What the reader makes of a good answer; its TryAgain is worth another attempt too."""
        while True:
            try:
                async with self._throttle.slot():
                    with self._breaker.attempt():
                        answer = await self._exchange.post(path, body, patience.begin(), kind)
                        if answer.status != HTTPStatus.OK:
                            raise self._refusal(answer)
                        return read(answer)
            except CircuitOpen:
                raise
            except TryAgain as failure:
                await patience.wait(failure)

    def _refusal(self, answer: Answer) -> ToolFailure:
        """What an answer stands for that is no reply."""
        status, base = answer.status, self._config.base_url
        said = self._exchange.key.hidden(complaint_in(answer.body))
        reason = f"{base} answers {status} to {self._config.model!r}: {said or 'nothing more'}"
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
