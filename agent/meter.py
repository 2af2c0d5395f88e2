"""What the work at hand takes: calls of models, counted for whoever started them.

Many tasks run at once and share models, so who is asking is kept in a context variable, which
follows into the threads and tasks that it starts. Knows records of calls; nothing of tasks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from agent.findings import Cost
from tools.backends.ledger import CallRecord, Ledger


class Meter:
    """Counts until it is read."""

    def __init__(self) -> None:
        self._began, self._spent = time.monotonic(), Cost()
        self._lock = threading.Lock()

    def add(self, cost: Cost) -> None:
        """Count something in; models answer in threads."""
        with self._lock:
            self._spent = self._spent.plus(cost)

    @property
    def cost(self) -> Cost:
        """So far, by the clock too."""
        return self._spent.model_copy(update={"seconds": time.monotonic() - self._began})


_RUNNING: ContextVar[tuple[Meter, ...]] = ContextVar("running", default=())


@contextmanager
def metered() -> Generator[Meter]:
    """Count what is spent inside, here and for whoever counts around it."""
    meter = Meter()
    token = _RUNNING.set((*_RUNNING.get(), meter))
    try:
        yield meter
    finally:
        _RUNNING.reset(token)


def spend(cost: Cost) -> None:
    """Count something in for everybody who counts around here."""
    for meter in _RUNNING.get():
        meter.add(cost)


class MeteringLedger:
    """Keeps records where they belong, and counts them for whoever is asking."""

    def __init__(self, kept: Ledger) -> None:
        self._kept = kept

    def add(self, call: CallRecord) -> None:
        """Count, then keep."""
        self._kept.add(call)
        spend(
            Cost(
                calls=int(call.outcome == "replied"),
                cached=int(call.outcome == "cached"),
                tokens=call.tokens_in + call.tokens_out,
                money=call.money,
            )
        )
