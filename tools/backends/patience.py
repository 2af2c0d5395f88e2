"""How long one call goes on trying: a number of attempts, a time, and growing pauses.

Knows failures that may pass; nothing of what is tried.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tools.backends.config import ServerConfig
from tools.failures import TryAgain

Pause = Callable[[float], Awaitable[None]]


class Patience:
    """What is left for one call."""

    def __init__(self, config: ServerConfig, pause: Pause = asyncio.sleep) -> None:
        self._config, self._pause = config, pause
        self._attempts = 0
        self._until: float | None = None

    def begin(self) -> float:
        """Count an attempt; the loop's time by which the call must be over.

        That time starts with the first attempt: waiting behind other calls is no one's fault.
        """
        self._attempts += 1
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._config.seconds
        return self._until

    async def wait(self, failure: TryAgain, *, elsewhere: bool = False) -> None:
        """Pause before the next attempt, unless that is made elsewhere; if none is left, fail."""
        longest = self._config.first_pause * 2 ** (self._attempts - 1)
        # Scattered, so that calls that failed together do not come back together.
        seconds = max(failure.after or 0.0, longest * random.uniform(0.5, 1.0))
        seconds = 0.0 if elsewhere else seconds
        left = (self._until or 0.0) - asyncio.get_running_loop().time()
        if self._attempts >= self._config.attempts or seconds >= left:
            tried = f" (attempt {self._attempts})" if self._attempts > 1 else ""
            raise TryAgain(f"{failure.reason}{tried}", failure.after)
        if not elsewhere:
            await self._pause(seconds)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """What a Retry-After header asks for, as seconds or as a date; None where it is neither."""
    if value is None:
        return None
    if value.strip().isdecimal() and value.isascii():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
