"""Does one thing after another in a thread of its own, tells how far it is, and can be stopped.

Models take one thing at a time, and somebody looks on. Knows jobs of the review application;
nothing of models.
"""

from __future__ import annotations

import secrets
import traceback
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Any

from review.bench import Job, Question, Said, Trial
from review.hands import Refused
from sae_core.errors import UserError
from tools.failures import Failure

MOST_WAITING = 4
KEPT = 64
"""How many jobs are remembered; what is done is found as an artefact besides."""
SECONDS = 180.0
"""What a job may take once it has begun."""


class Stopped(Exception):
    """Whoever works is to end here; the message says why."""


class Work:
    """A job at work: what it tells goes to whoever looks."""

    def __init__(self, name: str, asked: Trial | Question) -> None:
        self._job = Job(name, asked, "waiting", "", 0)
        self._lock, self._stopping, self._until = Lock(), False, float("inf")

    @property
    def job(self) -> Job:
        """As far as it is."""
        return self._job

    def begin(self) -> None:
        """From now on its time runs."""
        self._until = monotonic() + SECONDS

    def tell(self, **changes: Any) -> None:
        """Something changed; Stopped if this is to end here."""
        self.change(**changes)
        self.still()

    def still(self) -> None:
        """Nothing changed yet; Stopped if this is to end here."""
        if self._stopping:
            raise Stopped("stopped by hand")
        if monotonic() > self._until:
            raise Stopped(f"stopped after {SECONDS:.0f} s: ask for fewer tokens or controls")

    def hear(self, replies: tuple[Said, ...]) -> None:
        """What was said so far."""
        self.tell(state="working", note="", replies=replies)

    def stop(self) -> bool:
        """Whether it had not begun: then it never will."""
        with self._lock:
            self._stopping = True
            waiting = self._job.state == "waiting"
        if waiting:
            self.change(state="stopped", note="stopped by hand")
        return waiting

    def change(self, **changes: Any) -> None:
        """Something changed; what is over stays as it is."""
        with self._lock:
            if not self._job.over:
                self._job = self._job._replace(**changes, news=self._job.news + 1)


class Lane:
    """Jobs in a row."""

    def __init__(self, do: Callable[[Work], str]) -> None:
        """`do` works a job out, and gives the artefact in which it is told."""
        self._do, self._lock = do, Lock()
        self._known: OrderedDict[str, Work] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, "models")

    def begin(self, asked: Trial | Question) -> str:
        """Line a job up."""
        with self._lock:
            going = [work for work in self._known.values() if not work.job.over]
            if len(going) > MOST_WAITING:
                raise Refused(
                    f"{len(going) - 1} trials wait already, and the model does one at a time: "
                    "stop one of them, or try again in a while."
                )
            work = Work(secrets.token_hex(6), asked)
            self._known[work.job.name] = work
            while len(self._known) > KEPT and next(iter(self._known.values())).job.over:
                self._known.popitem(last=False)
        self._thread.submit(self._run, work)
        return work.job.name

    def also(self, do: Callable[[], None]) -> None:
        """Do something between jobs."""
        self._thread.submit(do)

    def job(self, name: str) -> Job | None:
        """A job, with how many come before it while it waits."""
        with self._lock:
            work = self._known.get(name)
            if work is None:
                return None
            if work.job.state != "waiting":
                return work.job
            names = [one for one, other in self._known.items() if not other.job.over]
        before = names.index(name) if name in names else 0
        return work.job._replace(note=f"{before} before it" if before else "")

    def stop(self, name: str) -> None:
        """End a job."""
        with self._lock:
            work = self._known.get(name)
        if work is not None:
            work.stop()

    def close(self) -> None:
        """End all of them; the one at work after its token."""
        with self._lock:
            for work in self._known.values():
                work.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Work) -> None:
        try:
            work.tell(state="loading")
            work.change(state="done", note="", kept=self._do(work))
        except Stopped as error:
            work.change(state="stopped", note=str(error))
        except (UserError, Failure) as error:
            work.change(state="failed", note=str(error))
        except BaseException as error:
            # A bug must not leave a page waiting, nor go unseen.
            work.change(state="failed", note=f"{type(error).__name__}: see where it was started")
            traceback.print_exc()
            raise
