"""Where a `Scope` works: one loop, one shelf of models, one lab, and runs that are waited for.

Knows how work is begun, waited for and ended; nothing of what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from lmmscope.limits import Spend
from lmmscope.loop import Loop
from lmmscope.shelf import Shelf
from lmmscope.showing import Answer, Findings
from lmmscope.work import Choices, Work, done, resuming
from sae_core.errors import UserError

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

    from agent.events import Event
    from agent.findings import Finding
    from agent.running import Ended
    from agent.store import Reader
    from lmmscope.settings import Settings
    from tools.lab import Lab

T = TypeVar("T")


class How(TypedDict, total=False):
    """How far a run may go; the same words as the options of `lmmscope ask`."""

    calls: int | None
    """At most so many new requests to models."""
    tokens: int | None
    """At most so many tokens, in and out."""
    money: float | None
    """At most so much money."""
    workers: int
    """Features investigated at a time; else as many as the explainer's server answers."""
    steer: bool
    """Whether features are written into the model."""
    free: bool
    """Whether the planner's chat model uses the tools as it likes."""
    approve: bool
    """Whether what takes long, such as a training, is agreed to beforehand."""


class Told:
    """A function that is told of every step."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell

    def hear(self, event: Event) -> None:
        """Pass it on."""
        self._tell(event)


class Session:
    """One profile and the features of one coder, with everything that is loaded for them."""

    def __init__(
        self,
        settings: Settings,
        sae: str | None,
        planted_seed: int | None,
        listen: Callable[[Event], None] | None,
    ) -> None:
        self.settings = settings
        self._sae, self._planted_seed = sae, planted_seed
        self._listeners = () if listen is None else (Told(listen),)
        self._shelf, self._loop = Shelf(), Loop()

    def run(self, work: Work, how: How) -> Answer:
        """Do a run; Ctrl-C, or a notebook's stop button, ends it after the step at hand."""
        return self._run(work, self._choices(how), how)

    def begun(self, work: Work, how: How) -> Coroutine[Any, Any, Answer]:
        """The same, to be awaited in any loop."""
        from langgraph.runtime import RunControl

        return self.awaited(self._done(work, self._choices(how), how, RunControl()))

    def resume(self, run: str, how: How) -> Answer:
        """Go on with a run as it was begun, and with what is given now."""
        from agent.running import options_of

        with self.store() as store:
            record = store.run(run)
            options = options_of(store, record.id)
        if record.status == "done":
            raise UserError(
                f"The run {record.id} is done. Try lmmscope runs show {record.id}, or ask anew"
            )
        for name, here in (("planted_seed", self._planted_seed), ("sae", self._sae)):
            if (there := options.get(name)) != here:
                raise UserError(
                    f"The run {record.id} has {name} {there}. Try Scope({name}={there!r})"
                )
        chosen = self._choices(cast("How", options | how))._replace(fork=options.get("fork"))
        return self._run(resuming(record.id), chosen, how)

    def wait(self, work: Coroutine[Any, Any, T], stop: Callable[[], object] | None = None) -> T:
        """What the work comes to."""
        with _in_one_line():
            return self._loop.wait(work, stop)

    async def awaited(self, work: Coroutine[Any, Any, T]) -> T:
        """The same, awaited."""
        with _in_one_line():
            return await asyncio.wrap_future(self._loop.begin(work))

    def store(self) -> Reader:
        """What runs have kept."""
        from agent.store import Reader

        return Reader(self.settings.runs)

    @cached_property
    def lab(self) -> Lab:
        """What the agent's tools work with; the test pictures are sealed."""
        from lmmscope.laboratory import lab_alone

        return lab_alone(
            self.settings, planted_seed=self._planted_seed, sae=self._sae, shelf=self._shelf
        )

    def close(self) -> None:
        """Let go of models and servers."""
        made: Lab | None = self.__dict__.pop("lab", None)
        if made is not None:
            self.wait(made.close())
        self._loop.close()
        self._shelf = Shelf()

    def _choices(self, how: How) -> Choices:
        return Choices(
            self.settings,
            Spend(how.get("calls"), how.get("tokens"), how.get("money")),
            how.get("workers"),
            how.get("steer", True),
            self._planted_seed,
            self._sae,
            free=how.get("free", False),
        )

    def _run(self, work: Work, chosen: Choices, how: How) -> Answer:
        from langgraph.runtime import RunControl

        control = RunControl()
        going = self._done(work, chosen, how, control)
        return self.wait(going, lambda: control.request_drain("stopped by Ctrl-C"))

    async def _done(self, work: Work, chosen: Choices, how: How, control: RunControl) -> Answer:
        async def approve(reason: str, cost: float) -> bool:
            del reason, cost  # agreed to beforehand, or not at all
            return how.get("approve", False)

        ended = await done(
            chosen,
            work,
            approve=approve,
            control=control,
            listeners=self._listeners,
            shelf=self._shelf,
        )
        return self._answer(ended)

    def _answer(self, ended: Ended) -> Answer:
        ids = dict.fromkeys(one.finding for one in ended.named if one.finding)
        with self.store() as store:
            found = [_standing(store, ended.run, store.finding(one)) for one in ids]
        return Answer(ended.run, ended.status, ended.answer, Findings(found), ended.why)


def _standing(store: Reader, run: str, finding: Finding) -> Finding:
    """As the answer to a batch counts it: among many tests some are no discovery any more."""
    batches = [one for one in store.discoveries(finding.id) if one.run == run]
    if finding.status == "supported" and not all(one.holds for one in batches):
        return finding.model_copy(update={"status": "refuted"})
    return finding


@contextmanager
def _in_one_line() -> Generator[None]:
    """What a tool could not do is the caller's to put right, as any mistake is."""
    from tools.failures import Failure

    try:
        yield
    except Failure as failure:
        raise UserError(failure.reason) from failure
