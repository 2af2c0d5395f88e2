"""A circuit breaker: a server that keeps failing is left alone for a while, then tried once.

Knows how attempts end; nothing of what they do. A server that answers, be it to refuse, is alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tools.failures import ToolFailure, TryAgain


class Busy(TryAgain):
    """The server is alive, and asks for fewer requests."""


class CircuitOpen(TryAgain):
    """The server was not asked, since it failed too often."""


class Breaker:
    """The circuit to one server, which has a name for messages."""

    def __init__(
        self, name: str, failures: int, rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._most, self._rest, self._clock = name, failures, rest, clock
        self._failures = 0
        self._opened = 0.0
        self._trying = False

    @property
    def ready(self) -> bool:
        """Whether an attempt would be made now."""
        return self._failures < self._most or not (self._trying or self._left() > 0)

    @contextmanager
    def attempt(self) -> Generator[None]:
        """One attempt, or CircuitOpen in its place."""
        trial = self._admitted()
        try:
            yield
        except TryAgain as failure:
            if isinstance(failure, Busy):
                self._failures = 0
            else:
                self._failures += 1
                self._opened = self._clock()
            raise
        except ToolFailure:
            self._failures = 0
            raise
        else:
            self._failures = 0
        finally:
            # Also when it was cancelled, which says nothing about the server: the next may try.
            self._trying = self._trying and not trial

    def _admitted(self) -> bool:
        """Whether this is the one trial of an open circuit."""
        if self._failures < self._most:
            return False
        if not self.ready:
            raise CircuitOpen(
                f"{self._name} failed {self._failures} times in a row and is left alone for "
                f"{self._left():.0f} s more. Try lmmscope doctor",
                self._left(),
            )
        self._trying = True
        return True

    def _left(self) -> float:
        """For how long an open circuit stays open."""
        return max(0.0, self._opened + self._rest - self._clock())
