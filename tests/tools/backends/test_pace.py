"""Throttle and breaker: how hard a server is pushed, and when it is left alone."""

import asyncio

import pytest

from tools.backends.breaker import Breaker, Busy, CircuitOpen
from tools.backends.throttle import Throttle
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker("the server", failures=2, rest=10.0, clock=clock)


async def fail(throttle, error=TryAgain):
    with pytest.raises(error):
        async with throttle.slot():
            raise error("no")


async def succeed(throttle):
    async with throttle.slot():
        pass


async def test_overload_halves_the_slots_down_to_one():
    throttle = Throttle(8)
    widths = []
    for _ in range(5):
        await fail(throttle)
        widths.append(throttle.width)
    assert widths == [4, 2, 1, 1, 1]


async def test_calls_that_were_overloaded_together_halve_once():
    throttle = Throttle(8)
    together = asyncio.Barrier(8)

    async def call():
        async with throttle.slot():
            await together.wait()
            raise TryAgain("no")

    await asyncio.gather(*(call() for _ in range(8)), return_exceptions=True)
    assert throttle.width == 4


async def test_success_brings_the_slots_back_and_no_more():
    throttle = Throttle(4)
    await fail(throttle)
    for _ in range(20):
        await succeed(throttle)
    assert throttle.width == 4


async def test_a_call_that_can_not_work_is_no_sign_of_overload():
    throttle = Throttle(4)
    await fail(throttle, WontWork)
    assert throttle.width == 4


async def test_slots_are_given_in_order_of_arrival():
    throttle, order = Throttle(1), []

    async def call(number):
        async with throttle.slot():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_who_gave_up_waiting_gets_no_slot():
    throttle = Throttle(1)
    async with throttle.slot():
        waiter = asyncio.create_task(succeed(throttle))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
    await asyncio.wait_for(succeed(throttle), 5)


async def test_a_slot_whose_owner_was_cancelled_as_it_came_is_not_lost():
    throttle = Throttle(1)
    held = throttle.slot()
    await held.__aenter__()
    waiter = asyncio.create_task(succeed(throttle))
    await asyncio.sleep(0)
    await held.__aexit__(None, None, None)  # the slot is the waiter's now, which does not know yet
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    await asyncio.wait_for(succeed(throttle), 5)


def attempt(breaker, error=None):
    with breaker.attempt():
        if error:
            raise error


def open_circuit(breaker):
    for _ in range(2):
        with pytest.raises(TryAgain, match="down"):
            attempt(breaker, TryAgain("down"))


def test_a_success_between_failures_keeps_the_circuit_closed(breaker):
    for _ in range(5):
        with pytest.raises(TryAgain, match="down"):
            attempt(breaker, TryAgain("down"))
        attempt(breaker)


@pytest.mark.parametrize("alive", [Busy("later"), WontWork("no such model")])
def test_a_refusal_shows_that_the_server_is_alive(breaker, alive):
    for _ in range(5):
        with pytest.raises(type(alive)):
            attempt(breaker, alive)


def test_an_open_circuit_says_how_long_it_stays_open(breaker, clock):
    open_circuit(breaker)
    clock.now = 4.0
    with pytest.raises(CircuitOpen, match="the server failed 2 times in a row") as failed:
        attempt(breaker)
    assert failed.value.after == 6.0


def test_after_its_rest_one_call_is_tried_and_closes_the_circuit(breaker, clock):
    open_circuit(breaker)
    clock.now = 10.0
    with breaker.attempt(), pytest.raises(CircuitOpen):
        attempt(breaker)
    attempt(breaker)


def test_a_failed_trial_opens_the_circuit_for_as_long_again(breaker, clock):
    open_circuit(breaker)
    clock.now = 10.0
    with pytest.raises(TryAgain, match="down"):
        attempt(breaker, TryAgain("down"))
    clock.now = 19.0
    with pytest.raises(CircuitOpen):
        attempt(breaker)


def test_a_cancelled_trial_makes_room_for_another(breaker, clock):
    open_circuit(breaker)
    clock.now = 10.0
    with pytest.raises(asyncio.CancelledError):
        attempt(breaker, asyncio.CancelledError())
    attempt(breaker)
