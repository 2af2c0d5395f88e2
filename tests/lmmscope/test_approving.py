"""What costs a lot is approved by whoever sits there, beforehand, or later: never by silence."""

import os
import sys
from pathlib import Path

import anyio
import pytest
from langgraph.runtime import RunControl

from lmmscope.approving import Approver

pytestmark = pytest.mark.anyio
ASKED = ("Training costs about 5,000 TFLOP", 5000.0)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def typed(monkeypatch):
    """A terminal on standard input; gives what types on it."""
    ours, its = os.openpty()
    with os.fdopen(its, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield lambda text: os.write(ours, text.encode())
    os.close(ours)


@pytest.mark.parametrize(("text", "agreed"), [("y\n", True), ("\nhm\nNo\n", False)])
async def test_whoever_sits_there_is_asked_until_it_is_a_yes_or_a_no(typed, capsys, text, agreed):
    typed(text)
    assert await Approver(RunControl())(*ASKED) is agreed
    said = capsys.readouterr().err
    assert said.count("5,000 TFLOP. Go on?") == text.count("\n")


async def test_a_run_that_is_to_stop_does_not_wait_for_an_answer(typed):
    control = RunControl()
    assert typed
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:

            async def ask():
                assert await Approver(control)(*ASKED) is None

            group.start_soon(ask)
            control.request_drain("stopped by Ctrl-C")


async def test_what_was_said_beforehand_counts_once(monkeypatch):
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        approve = Approver(RunControl(), [True])
        assert [await approve(*ASKED) for _ in range(2)] == [True, None]
