"""The models of `lmmscope review` in a process of their own, from when somebody asks until idle.

Whoever only reads pays nothing for them, and a crash of theirs takes no page along: it is told in
a line, and the next one who asks gets a new process. Knows processes and lines; what is done there
is told in `lmmscope.model_child`.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Timer
from typing import Any

import numpy as np

from lmmscope.bench_place import Loaded, Meant, Still, Telling
from lmmscope.talking_child import Message, TalkingChild
from review.bench import Question, Said, Trial
from sae_core.errors import UserError

IDLE = 600.0
"""Seconds without a question after which the process ends."""
COMMAND = (sys.executable, "-m", "lmmscope.model_child")


class ModelProcess:
    """A place where the model is, `lmmscope.bench_place.Place`: another process."""

    def __init__(
        self,
        opening: Mapping[str, Any],
        *,
        idle: float = IDLE,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`opening` is the first line that the process is told."""
        self._opening, self._idle, self._command = dict(opening), idle, command
        self._lock, self._numbers = Lock(), count()
        self._child: TalkingChild | None = None
        self._clock: Timer | None = None
        self._over = False

    @property
    def awake(self) -> bool:
        """Whether the process is there."""
        child = self._child
        return child is not None and child.alive

    def load(self, still: Still) -> Loaded:
        """Load the model; who does not want to wait leaves it to go on."""
        return Loaded(**self._asked({"do": "load"}, still))

    def index(self, still: Still) -> Path:
        """The folder of the index of features."""
        return Path(self._asked({"do": "index"}, still))

    def work(self, asked: Trial | Question, telling: Telling) -> str:
        """Work something out; the process is told if nobody wants it any more."""

        def heard(told: Message) -> None:
            if "replies" in told:
                told["replies"] = tuple(Said(**one) for one in told["replies"])
            telling.tell(**told)

        message = {"do": "work", "asked": asked.model_dump(mode="json")}
        return self._asked(message, telling.still, heard)

    def meant(self, texts: Sequence[str]) -> Meant:
        """What texts mean."""
        found = self._asked({"do": "meant", "texts": list(texts)}, lambda: None)
        vectors = np.frombuffer(base64.b64decode(found["vectors"]), "<f4")
        return Meant(found["encoder"], vectors.reshape(found["shape"]))

    def close(self) -> None:
        """End the process; none is started any more."""
        with self._lock:
            self._over = True
            child = self._child
        if child is not None:
            child.end()

    def _asked(
        self, message: Message, still: Still, heard: Callable[[Message], None] | None = None
    ) -> Any:
        with self._lock:
            child, number, replies = self._running(), next(self._numbers), SimpleQueue()
            child.waiting[number] = replies
        try:
            child.send({**message, "number": number})
            return child.answer(replies, still, heard)
        except UserError:
            raise
        except BaseException:
            if heard is not None:
                child.stop(number, replies)
            raise
        finally:
            with self._lock:
                del child.waiting[number]
                if not child.waiting:
                    self._rest_later()

    def _running(self) -> TalkingChild:
        """The process, started if there is none."""
        if self._over:
            raise UserError("The review application is ending")
        if self._clock is not None:
            self._clock.cancel()
        if self._child is None or not self._child.alive:
            self._child = TalkingChild(self._command, self._opening)
        return self._child

    def _rest_later(self) -> None:
        if self._over:
            return
        self._clock = Timer(self._idle, self._rest)
        self._clock.daemon = True
        self._clock.start()

    def _rest(self) -> None:
        with self._lock:
            child = self._child
            if child is None or child.waiting:
                return
            self._child = None
        child.end()
