"""How much may still be spent: reserved before a call, settled after it.

Knows amounts and limits; nothing of what they are spent on. Safe to use from several threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from tools.failures import Failure, TryAgain

ROUNDING = 1e-9
"""Sums of prices differ from the limit by this much without being above it."""


class Spending(NamedTuple):
    """What something costs."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    money: float = 0.0

    def plus(self, other: Spending) -> Spending:
        """Both together."""
        return Spending(*(a + b for a, b in zip(self, other, strict=True)))


class Limits(BaseModel):
    """How much may be spent; None is as much as you like."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    calls: NonNegativeInt | None = None
    """Requests to models; replies from the cache are none."""
    tokens: NonNegativeInt | None = None
    """Tokens in and out together."""
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Seconds of all calls together. How long one takes is not known before: what is running when
    the limit is reached goes past it."""
    money: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """In the currency of the prices."""


class OverBudget(Failure):
    """A limit leaves no room for a call.

    No tool failed, so who can do without a tool does not take this for an answer: it ends the run.
    """

    def __init__(self, limit: str, reason: str) -> None:
        super().__init__(reason)
        self.limit = limit
        """Which of the limits it is."""


class Reservation:
    """An amount set aside. Leaving `Budget.reserved` without `settle` gives it back."""

    def __init__(self, amount: Spending) -> None:
        self.amount = amount
        self.actual = Spending()

    def settle(self, actual: Spending) -> None:
        """Say what it really cost, more or less than was reserved."""
        self.actual = actual


class Budget:
    """Limits, and what has been spent of them."""

    def __init__(self, limits: Limits | None = None, spent: Spending | None = None) -> None:
        self.limits = limits or Limits()
        self._spent = spent or Spending()
        self._open: set[Reservation] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spending:
        """Settled so far; what was spent before a resumed run enters by the constructor."""
        with self._lock:
            return self._spent

    def share(self, parts: int) -> Limits:
        """One of so many equal parts of what is neither spent nor set aside."""
        with self._lock:
            gone = self._spent.plus(self._held())._asdict()
        left = {
            name: None if limit is None else max(limit - gone[name], 0)
            for name, limit in self.limits
        }
        whole = {"calls", "tokens"}
        return Limits(**{
            name: more if more is None else more // parts if name in whole else more / parts
            for name, more in left.items()
        })  # fmt: skip

    @contextmanager
    def reserved(self, amount: Spending) -> Generator[Reservation]:
        """Set an amount aside, or fail at once: OverBudget, or TryAgain if others may give back."""
        with self._lock:
            reservation = self._opened(amount)
        try:
            yield reservation
        finally:
            self._close(reservation)

    @asynccontextmanager
    async def room_for(self, amount: Spending) -> AsyncGenerator[Reservation]:
        """Set an amount aside, as soon as what others may give back has come: else OverBudget.

        A call that failed because others are running would be missing from what is made of all.
        """
        reservation = None
        while reservation is None:
            with self._lock:
                try:
                    reservation = self._opened(amount)
                except TryAgain:
                    turn = asyncio.get_running_loop().create_future()
                    self._waiting.append(turn)
            if reservation is None:
                await turn
        try:
            yield reservation
        finally:
            self._close(reservation)

    def _opened(self, amount: Spending) -> Reservation:
        self._check(amount)
        reservation = Reservation(amount)
        self._open.add(reservation)
        return reservation

    def _close(self, reservation: Reservation) -> None:
        with self._lock:
            self._open.remove(reservation)
            self._spent = self._spent.plus(reservation.actual)
            waiting, self._waiting = self._waiting, []
        for turn in waiting:
            # Whoever waits may do so in another loop, which may be gone.
            if not turn.get_loop().is_closed():
                turn.get_loop().call_soon_threadsafe(_wake, turn)

    def _held(self) -> Spending:
        # Summed up anew each time: a running sum of prices would not come back to exactly 0.
        held = Spending()
        for reservation in self._open:
            held = held.plus(reservation.amount)
        return held

    def _check(self, amount: Spending) -> None:
        held = self._held()
        for name, wanted, spent, waiting in zip(
            Spending._fields, amount, self._spent, held, strict=True
        ):
            limit = getattr(self.limits, name)
            if limit is None:
                continue
            left = limit - spent + ROUNDING
            said = (
                f"The budget of {limit:.10g} {name} has no room for {wanted:.10g} more: "
                f"{spent:.10g} spent"
            )
            if wanted > left:
                raise OverBudget(name, f"{said}. Raise the limit on {name}")
            if wanted + waiting > left:
                raise TryAgain(f"{said}, {waiting:.10g} reserved by calls that are running")


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
