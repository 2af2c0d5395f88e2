"""An event loop whose clock jumps to the next timer: hours of waiting go by at once.

Knows asyncio. Nothing in it may wait for a file, a socket or a thread, as no time goes by there.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Instead of waiting, the time is put forward."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Nothing ever comes in from outside."""
        if timeout is None:
            raise RuntimeError("everybody waits for what no timer will bring about")
        self.now += max(timeout, 0.0)
        return []


class Loop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        """Seconds since the beginning."""
        return self._jump.now


def lasting(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """What some work comes to, and how many seconds it would have taken."""
    loop = Loop()
    try:
        return loop.run_until_complete(work), loop.time()
    finally:
        loop.close()
