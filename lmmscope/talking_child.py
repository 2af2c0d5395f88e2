"""A child process that is asked and answers in lines of JSON, many things at a time.

Each question has a number, under which come what there is to tell of it, and one answer at last.
The child ends when its input does, so it outlives nobody. Knows processes and lines; nothing of
what is asked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any

from sae_core.errors import UserError

LOOK = 0.1
"""Seconds between looks whether an answer is still wanted."""
PATIENCE = 20.0
"""Seconds that what was stopped has to end; then its process is ended."""
GRACE = 5.0
"""Seconds that a process has to end when nobody asks it any more."""
Message = dict[str, Any]
Replies = SimpleQueue[Message | None]


class TalkingChild:
    """One process, and who waits for its answers."""

    def __init__(self, command: Sequence[str], opening: Message) -> None:
        self.waiting: dict[int, Replies] = {}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            # Ctrl-C where the pages are served reaches us alone: this ends when its input does.
            start_new_session=True,
        )
        self.alive, self._sending = True, Lock()
        Thread(target=self._listen, daemon=True).start()
        self.send(opening)

    @property
    def last_words(self) -> str:
        """Why there is no answer, and what to do."""
        code = self._process.wait()
        by = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        memory = ": there may be too little memory" if code == -signal.SIGKILL else ""
        return f"The model's process ended {by}{memory}. Try again: that starts a new one"

    def send(self, message: Message) -> None:
        """Ask it something; if it has gone, its end is heard of by whoever waits."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError), self._sending:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def stop(self, number: int, replies: Replies) -> None:
        """Have it stop with something; end it if it can't."""
        self.send({"do": "stop", "number": number})
        until = monotonic() + PATIENCE
        with suppress(Empty):
            while (message := replies.get(timeout=max(0.0, until - monotonic()))) is not None:
                if "told" not in message:
                    return
            return
        self.end()

    def end(self) -> None:
        """Its input ends, so it does; if not, it is made to, with all that it has started."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                message: Message = json.loads(line)
                if (replies := self.waiting.get(message.pop("number"))) is not None:
                    replies.put(message)
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(OSError), self._sending:
            self._process.stdin.close()
        self.alive = False
        for replies in list(self.waiting.values()):
            replies.put(None)

    def answer(
        self,
        replies: Replies,
        still: Callable[[], None],
        heard: Callable[[Message], None] | None,
    ) -> Any:
        """The answer to a question; what is told before it is heard, a failure is raised."""
        while True:
            try:
                message = replies.get(timeout=LOOK)
            except Empty:
                still()
                if not self.alive and replies.empty():  # it went before it could be told of us
                    raise UserError(self.last_words) from None
                continue
            if message is None:
                raise UserError(self.last_words)
            if "failed" in message:
                raise UserError(message["failed"])
            if "told" not in message:
                return message["done"]
            if heard is not None:
                heard(message["told"])
