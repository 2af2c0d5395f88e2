"""Says whether something costly may be done: as was said beforehand, or as whoever sits there says.

Knows terminals; nothing of what is asked for.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

LOOK = 0.1
"""Seconds between looks whether the run is to stop, while it waits for somebody."""


class Approver:
    """An `agent.running.Approve` for a terminal."""

    def __init__(self, control: RunControl, answers: Sequence[bool] = ()) -> None:
        """`answers` are given first, each to one question."""
        self._control, self._answers = control, list(answers)

    async def __call__(self, asked: str, cost: float) -> bool | None:
        """What was said; None where nobody sits, or whoever does wants to stop."""
        del cost  # it stands in what is asked, with its unit
        if self._answers:
            return self._answers.pop(0)
        while sys.stdin.isatty():
            typer.echo(f"{asked}. Go on? [y/n]: ", nl=False, err=True)
            line = await self._line()
            if not line:
                break
            word = line.strip().lower()
            if word in ("y", "yes", "n", "no"):
                return word.startswith("y")
        return None

    async def _line(self) -> str:
        """What is typed; nothing if the run is to stop instead. No thread is left waiting."""
        loop, typed = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(sys.stdin, typed.set)
        try:
            while not (typed.is_set() or self._control.drain_requested):
                with suppress(TimeoutError):
                    await asyncio.wait_for(typed.wait(), LOOK)
        finally:
            loop.remove_reader(sys.stdin)
        return sys.stdin.readline() if typed.is_set() else ""
