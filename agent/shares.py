"""A budget shared out among what is done elsewhere: together it never spends more than is left.

A share is set aside as long as its errand is out, since what that spends is only known when it
comes home. Knows amounts, and who is out; nothing of errands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from tools.backends.budget import Budget, Limits, Reservation, Spending


class Share(NamedTuple):
    """What one errand may spend."""

    left: Limits
    held: Reservation
    """To be settled when it is home."""
    whole: bool
    """It is all that there is: nobody else was out."""


class Shares:
    """Equal shares for so many errands, or the whole rest for one. Belongs to one event loop."""

    def __init__(self, budget: Budget, size: int) -> None:
        """No more than so many are out at the same time."""
        self._budget, self._size = budget, size
        self._out = self._whole = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def one(self, *, whole: bool = False) -> AsyncGenerator[Share]:
        """A share; `whole` waits until nobody else is out. OverBudget where nothing is left."""
        whole = await self._went(whole)
        try:
            with self._budget.reserved(Spending(calls=1, tokens=1)):
                pass  # there has to be room for something
            parts = 1 if whole else self._size - self._out + 1
            left, alone = self._left(parts), parts == self._out == 1
            with self._budget.reserved(_all_of(left)) as held:
                yield Share(left, held, alone)
        finally:
            async with self._changed:
                self._out, self._whole = self._out - 1, self._whole - whole
                self._changed.notify_all()

    async def _went(self, whole: bool) -> bool:
        """Wait for a turn; whether it is one alone, as it is where others hold all there is."""
        async with self._changed:
            if not whole:
                await self._changed.wait_for(lambda: not self._whole)
                left = self._left(self._size - self._out)
                whole = self._out > 0 and 0 in (left.calls, left.tokens)
            self._whole += whole
            try:
                if whole:
                    await self._changed.wait_for(lambda: not self._out)
            except BaseException:
                self._whole -= whole
                self._changed.notify_all()
                raise
            self._out += 1
        return whole

    def _left(self, parts: int) -> Limits:
        return self._budget.share(max(parts, 1))


def _all_of(left: Limits) -> Spending:
    return Spending(**{name: more for name, more in left if more is not None})
