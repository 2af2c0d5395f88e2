"""How many requests a server gets at the same time: half as many when it is overloaded.

Knows how calls end; nothing of what they do. As in TCP: one loss halves, a round of successes adds
one; losses of calls that began before the last halving say nothing new. Where the same is served at
several places, each has slots of its own, and a call goes where the fewest are running.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from typing import NamedTuple

from tools.failures import TryAgain


class _Place:
    """The slots of one place."""

    def __init__(self, most: int) -> None:
        self.most, self.running, self.halvings = most, 0, 0
        self.width = float(most)

    def free(self) -> bool:
        """Whether one more may run."""
        return self.running < int(self.width)

    def widen(self) -> None:
        """After a success."""
        self.width = min(self.most, self.width + 1 / self.width)

    def narrow(self, halvings: int) -> None:
        """After a loss of a call that began when there had been so many halvings."""
        if halvings == self.halvings:
            self.width = max(1.0, self.width / 2)
            self.halvings += 1


class _Waiting(NamedTuple):
    turn: asyncio.Future[int]
    avoid: Collection[int]


class Throttle:
    """Slots in order of arrival. Belongs to one event loop."""

    def __init__(
        self, most: int, places: int = 1, up: Callable[[int], bool] = lambda _: True
    ) -> None:
        """So many slots at each place; one that is not up gets calls only if none is."""
        self._places = [_Place(most) for _ in range(places)]
        self._up = up
        self._next = 0
        self._waiting: deque[_Waiting] = deque()

    @property
    def width(self) -> int:
        """The slots there are at the moment."""
        return sum(int(place.width) for place in self._places)

    @asynccontextmanager
    async def slot(self, avoid: Collection[int] = ()) -> AsyncGenerator[int]:
        """Wait for a slot and hold it: the number of its place, another than these if there is one.

        A TryAgain from inside is a sign of overload.
        """
        number = await self._enter(avoid)
        place = self._places[number]
        halvings = place.halvings
        try:
            yield number
            place.widen()
        except TryAgain:
            place.narrow(halvings)
            raise
        finally:
            self._leave(number)

    async def _enter(self, avoid: Collection[int]) -> int:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(turn, avoid))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            # Its turn may have come in the same moment; then the slot is somebody else's now.
            if turn.done() and not turn.cancelled():
                self._leave(turn.result())
            raise

    def _leave(self, number: int) -> None:
        self._places[number].running -= 1
        self._admit()

    def _admit(self) -> None:
        passed = []
        while self._waiting and any(self._places[number].free() for number in self._up_now()):
            one = self._waiting.popleft()
            if one.turn.done():
                continue
            if (number := self._choice(one.avoid)) is None:
                passed.append(one)
            else:
                self._places[number].running += 1
                one.turn.set_result(number)
        self._waiting.extendleft(reversed(passed))

    def _up_now(self) -> Collection[int]:
        """The places that calls may go to."""
        every = range(len(self._places))
        return [number for number in every if self._up(number)] or every

    def _choice(self, avoid: Collection[int]) -> int | None:
        """The place where the fewest are running, by turns; None where it has to be waited for."""
        up = self._up_now()
        wanted = [number for number in up if number not in avoid] or up
        free = [number for number in wanted if self._places[number].free()]
        if not free:
            return None
        number = min(
            free, key=lambda n: (self._places[n].running, (n - self._next) % len(self._places))
        )
        self._next = number + 1
        return number
