"""One path of calls to a server: in turn, with patience, and not at all while the server is down.

A server may have several addresses. A call goes to the least busy one that is up, and on to another
one where it fails.

Knows which answers are worth another attempt; nothing of what is asked, or of what a good answer
says: its reader knows that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
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


class _Replica:
    """One address, and how it fares."""

    def __init__(self, config: ServerConfig) -> None:
        self.url = config.base_url
        self.exchange = Exchange(config)
        self.breaker = Breaker(config.base_url, config.failures, config.rest)


class Endpoint:
    """A server to call. Belongs to one event loop; leaving it closes its connections."""

    def __init__(self, config: ServerConfig, pause: Pause = asyncio.sleep) -> None:
        self._config, self._pause = config, pause
        self._replicas = [_Replica(one) for one in config.each()]
        self._key = self._replicas[0].exchange.key
        self._throttle = Throttle(config.concurrency, len(self._replicas), self._is_up)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for replica in self._replicas:
            await replica.exchange.close()

    def _is_up(self, number: int) -> bool:
        return self._replicas[number].breaker.ready

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
        """What the reader makes of a good answer; its TryAgain is worth another attempt too.

        That attempt is made at another address at once, as long as there is one that is up and has
        not been tried since the last pause.
        """
        tried: set[int] = set()
        failed: set[int] = set()
        while True:
            number = None
            try:
                async with self._throttle.slot(tried) as number:
                    replica = self._replicas[number]
                    with replica.breaker.attempt():
                        answer = await replica.exchange.post(path, body, patience.begin(), kind)
                        if answer.status != HTTPStatus.OK:
                            raise self._refusal(answer)
                        return read(answer)
            except CircuitOpen as failure:
                # Where another address is up, this one went down, or is on trial, since the choice.
                if not self._left(()):
                    raise self._of_all(failure) from None
            except TryAgain as failure:
                assert number is not None  # a slot is waited for without failing
                tried, failed = tried | {number}, failed | {number}
                told = failure if self._left(failed) else self._of_all(failure)
                elsewhere = self._left(tried)
                await patience.wait(told, elsewhere=elsewhere)
                tried = tried if elsewhere else set()

    def _left(self, tried: Collection[int]) -> bool:
        """Whether another address than these is up."""
        return any(self._is_up(n) for n in range(len(self._replicas)) if n not in tried)

    def _of_all(self, failure: TryAgain) -> TryAgain:
        """The failure of the last address as that of all."""
        if len(self._replicas) == 1:
            return failure
        names = ", ".join(replica.url for replica in self._replicas)
        return type(failure)(f"None of {names} replies: {failure.reason}", failure.after)

    def _refusal(self, answer: Answer) -> ToolFailure:
        """What an answer stands for that is no reply."""
        status, base = answer.status, answer.server.base_url
        said = self._key.hidden(complaint_in(answer.body))
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
