"""Runs that are begun, paused and ended from the pages: a process of its own works on each.

What they do is in the store, so they are processes like any other: one that was started elsewhere
is paused in the same way. Knows commands and signals; nothing of pages, nor of what a run does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import NamedTuple

from agent.approval import Asked, waiting
from agent.store import Reader, RunRecord, Store
from lmmscope.conduct import PAUSED
from review.hands import Process, Refused

AT_ONCE = 2
"""Runs that were started here and go on: each of them has its own models."""
TWICE = 0.5
"""Seconds after which a process that is to end at once is told again, and means it."""
PATIENCE = 10.0
"""Seconds to wait until it has let go of its run."""
LOOK = 0.1
TAIL = 4000
"""Characters of a log that are shown."""


class _Child(NamedTuple):
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-TAIL:].strip()


class RunProcesses:
    """Starts runs, and stops those that go on."""

    def __init__(
        self,
        store: Reader,
        profile: str | None = None,
        command: Sequence[str] = (sys.executable, "-m", "lmmscope"),
    ) -> None:
        self._store, self._profile, self._command = store, profile, command
        self._one_deed = Lock()
        """Deeds wait for the store, so they are done in threads, and not on the server's loop."""
        self._children: dict[str, _Child] = {}
        self._former: list[subprocess.Popen[bytes]] = []
        """Those that have let go of their runs, and may not have ended yet."""
        self._pausing: set[str] = set()
        self._answered: dict[str, Asked] = {}
        """What runs asked that are on their way to hear the answer."""

    async def ask(self, question: str) -> str:
        """Begin a run with a question; its id is its own from the start."""
        from agent.naming import run_name

        name = run_name()
        await asyncio.to_thread(self._begin, name, question)
        return name

    async def resume(self, run: str) -> None:
        """Go on with a run that stopped."""
        await asyncio.to_thread(self._take_up, run)

    async def answer(self, run: str, asked: str, *, agreed: bool) -> None:
        """Go on with a run that asked for something; the answer is to that alone."""
        await asyncio.to_thread(self._answer, run, asked, agreed)

    async def pause(self, run: str) -> None:
        """Let the step at work end first."""
        await asyncio.to_thread(lambda: self._signal(self._working(run)))
        self._pausing.add(run)

    async def abort(self, run: str) -> None:
        """Stop at once, and for good."""
        await asyncio.to_thread(self._abort, run)

    def process(self, run: str) -> Process | None:
        """What goes on that the store does not tell."""
        child = self._children.get(run)
        if child is not None and child.process.poll() not in (None, 0, PAUSED):
            return Process("failed", child.said())
        if self._is_starting(run):
            return Process("starting", child.said() if child else "")
        if run in self._pausing:
            if self._store.run(run).alive:
                return Process("pausing", "")
            self._pausing.discard(run)
        return None

    def close(self) -> None:
        """Let what was started here pause; it can be gone on with."""
        for process in (*self._former, *(one.process for one in self._children.values())):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)

    def _begin(self, run: str, question: str) -> None:
        with self._one_deed:
            self._check_room()
            self._start(run, "ask", "--run", run, "--json", "--", question)

    def _take_up(self, run: str, *answer: str) -> None:
        with self._one_deed:
            record = self._store.run(run)
            if record.alive or self._is_starting(run):
                raise Refused(f"The run {run} is being worked on already.")
            if record.status == "done":
                raise Refused(f"The run {run} is done: ask anew.")
            self._check_room()
            self._pausing.discard(run)
            self._start(run, "runs", "resume", run, *answer)

    def _answer(self, run: str, asked: str, agreed: bool) -> None:
        wanted = waiting(self._store, [run]).get(run)
        if wanted is None or wanted.place != asked:
            raise Refused(f"The run {run} does not ask for that any more: look at it again.")
        self._take_up(run, "--approve" if agreed else "--refuse")
        self._answered[run] = wanted

    def _abort(self, run: str) -> None:
        record = self._store.run(run)
        if record.status == "done":
            raise Refused(f"The run {run} is done: there is nothing to abort.")
        if record.alive:
            self._end(record)
        with Store(self._store.runs) as store:
            store.ended(run, "aborted", "stopped for good from the review page")
        self._pausing.discard(run)
        self._forget(run)

    def _start(self, run: str, *arguments: str) -> None:
        log = self._store.runs / "logs" / f"{run}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        split = arguments.index("--") if "--" in arguments else len(arguments)
        given = ["--runs", os.fspath(self._store.runs)]
        given += ["--profile", self._profile] if self._profile else []
        command = [*arguments[:split], *given, *arguments[split:]]
        self._forget(run)
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*self._command, *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # Ctrl-C where the pages are served is no word to the runs.
                start_new_session=True,
            )
        self._children[run] = _Child(process, log)

    def _forget(self, run: str) -> None:
        """What a run's process said is told no longer; the process is waited for in passing."""
        self._answered.pop(run, None)
        if (child := self._children.pop(run, None)) is not None:
            self._former.append(child.process)
        self._former = [one for one in self._former if one.poll() is None]

    def _is_starting(self, run: str) -> bool:
        """Its process is there, and has not taken the run up yet."""
        child = self._children.get(run)
        if child is None or child.process.poll() is not None:
            return False
        rows = self._store.rows("SELECT pid FROM runs WHERE id = ?", (run,))
        if not rows or rows[0]["pid"] != child.process.pid:
            return True
        asked = self._answered.get(run)
        return asked is not None and waiting(self._store, [run]).get(run) == asked

    def _check_room(self) -> None:
        going = [run for run, one in self._children.items() if one.process.poll() is None]
        if len(going) >= AT_ONCE:
            raise Refused(
                f"{len(going)} runs that were started here go on ({', '.join(going)}): wait for "
                "one of them, or pause it."
            )

    def _working(self, run: str) -> RunRecord:
        record = self._store.run(run)
        if not record.alive:
            raise Refused(f"Nobody works on the run {run}: it is {record.standing}.")
        return record

    def _signal(self, record: RunRecord) -> None:
        """To whoever holds the run's lock: a number alone may be somebody else's by now."""
        if record.pid is None or record.pid == os.getpid():
            raise Refused(f"The run {record.id} is worked on by this process, not by its own.")
        try:
            os.kill(record.pid, signal.SIGINT)
        except OSError as error:
            raise Refused(
                f"The process {record.pid} of the run {record.id} can't be told to stop: "
                f"{error.strerror}."
            ) from None

    def _end(self, record: RunRecord) -> None:
        """The first signal ends it after its step, the second one at once."""
        until, again = monotonic() + PATIENCE, monotonic() + TWICE
        self._signal(record)
        while self._store.run(record.id).alive:
            if monotonic() > until:
                raise Refused(
                    f"The process {record.pid} does not let go of the run {record.id}: wait, or "
                    f"try kill {record.pid}."
                )
            if monotonic() > again:
                self._signal(record)
                again = until
            sleep(LOOK)
