"""A child process that serves: started with a log, watched, and never left behind.

Knows processes and signals; nothing of what is served. The child leads a session of its own, so
Ctrl-C reaches us alone, and whatever it has started ends together with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 15.0
"""Seconds that a child has to end by itself; a second signal cuts them short."""
POLL = 0.1


class Stop:
    """Which of the signals that mean the end have come. It only counts, so nothing is cut short."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        del frame
        self.signals.append(number)


@contextmanager
def stop_signals() -> Generator[Stop]:
    """Note signals instead of dying of them, from before a child is started until it is gone."""
    stop = Stop()
    before = {number: signal.signal(number, stop.note) for number in STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Child:
    """One process with all that it starts; leaving it stops them."""

    def __init__(
        self, command: Sequence[str], log: Path, variables: Mapping[str, str], stop: Stop
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log, self._stop = log, stop
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """Ask the whole group to end, then kill what is left of it."""
        deadline, asked = time.monotonic() + GRACE, len(self._stop.signals)
        if self.code is None:
            self._send(signal.SIGTERM)
        while self.code is None and time.monotonic() < deadline:
            if len(self._stop.signals) > asked:
                break
            time.sleep(POLL)
        self._send(signal.SIGKILL)
        self._process.wait()

    def tail(self, lines: int = 20) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
