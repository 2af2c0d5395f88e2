"""Work in a loop of its own: Ctrl-C asks it to stop, and a second one cuts it off."""

import asyncio
import signal
import threading

import pytest

from lmmscope.loop import Loop
from sae_core.errors import UserError


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_the_first_ctrl_c_lets_the_step_at_hand_end(loop):
    stopping = asyncio.Event()

    async def work():
        interrupt()
        await stopping.wait()
        return "ended tidily"

    assert loop.wait(work(), stopping.set) == "ended tidily"


def test_the_second_ctrl_c_cuts_it_off(loop):
    cut = threading.Event()

    async def work():
        interrupt()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    with pytest.raises(KeyboardInterrupt):
        loop.wait(work(), interrupt)
    assert cut.wait(10)


def test_what_is_closed_says_so(loop):
    loop.close()

    async def work():
        return 1

    with pytest.raises(UserError, match="closed"):
        loop.wait(work())


def test_closing_cuts_off_what_goes_on(loop):
    begun, cut = threading.Event(), threading.Event()

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    going = loop.begin(work())
    assert begun.wait(10)
    loop.close()
    assert cut.is_set()
    assert going.cancelled()
