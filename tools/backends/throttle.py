"""How many requests a server gets at the same time: half as many when it is overloaded.

Knows how calls end; nothing of what they do. As in TCP: one loss halves, a round of successes adds
one; losses of calls that began before the last halving say nothing new.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tools.failures import TryAgain


class Throttle:
    """Slots in order of arrival. Belongs to one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = float(most)
        self._running = 0
        self._halvings = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def width(self) -> int:
        """The slots there are at the moment."""
        return int(self._width)

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Wait for a slot and hold it; a TryAgain from inside is a sign of overload."""
        await self._enter()
        halvings = self._halvings
        try:
            yield
            self._width = min(self._most, self._width + 1 / self._width)
        except TryAgain:
            if halvings == self._halvings:
                self._width = max(1.0, self._width / 2)
                self._halvings += 1
            raise
        finally:
            self._leave()

    async def _enter(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            # Its turn may have come in the same moment; then the slot is somebody else's now.
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self.width:
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                turn.set_result(None)
