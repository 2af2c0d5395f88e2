"""What a run of the agent is to do, and doing it: for commands, notebooks and programs alike.

Knows what may be chosen, and which of the agent's beginnings is meant; nothing of terminals, nor
of whoever looks on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lmmscope.limits import Spend

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

    from agent.events import Listener
    from agent.running import Approve, Ended, Hands
    from lmmscope.ray_batch import Abroad
    from lmmscope.settings import Settings
    from lmmscope.shelf import Shelf


class Choices(NamedTuple):
    """What whoever asks has chosen."""

    settings: Settings
    spend: Spend = Spend()
    workers: int | None = None
    """How many features are investigated at a time; None: as usual for the settings."""
    steer: bool = True
    planted_seed: int | None = None
    sae: str | None = None
    as_json: bool = False
    free: bool = False
    fork: str | None = None
    """The event at which an earlier run is left."""
    total: int | None = None
    """How many features are to be labelled, where nothing else is asked."""
    ray: str | None = None
    """The Ray cluster that features are investigated on; else here."""
    actors: int | None = None
    """How many workers it gets."""

    @property
    def at_a_time(self) -> int:
        """How many features are investigated at a time."""
        return self.workers or usual_workers(self.settings)

    @property
    def options(self) -> dict[str, Any]:
        """What a run keeps of these, to be taken up again."""
        kept = ("steer", "planted_seed", "sae", "free", "fork", "ray", "actors")
        own = {name: getattr(self, name) for name in kept}
        return {"workers": self.at_a_time, **own, **self.spend._asdict()}

    def again(self, options: Mapping[str, Any]) -> Choices:
        """As a run was begun, but for the limits that are chosen now."""
        as_before = {name: kept for name, kept in options.items() if name not in Spend._fields}
        return self._replace(**as_before, spend=self.spend.over(options))


Work = Callable[["Hands", "Approve", "RunControl"], Awaitable["Ended"]]
"""Something to do with everything that a run needs."""


def usual_workers(settings: Settings) -> int:
    """How many features are investigated at a time, where nobody says.

    Each waits for the explainer most of the time; with as many as it answers at a time, a server
    is busy for .97 of it, with half as many for .76 (`python -m benchmarks.simulate`).
    """
    server = settings.servers.explainer
    return 4 if server is None else server.concurrency * len(server.addresses)


def ready(profile: str | None, runs: str | Path | None) -> Settings:
    """The profile, with another folder for findings where one is given."""
    from lmmscope.settings import load_settings
    from lmmscope.wiring import mend_imports, use_threads

    settings = load_settings(profile)
    if runs is not None:
        settings = settings.model_copy(update={"runs": Path(runs)})
    mend_imports(settings)
    use_threads(settings)
    return settings


async def done(
    chosen: Choices,
    work: Work,
    *,
    approve: Approve,
    control: RunControl,
    listeners: Sequence[Listener] = (),
    replayed: str | None = None,
    shelf: Shelf | None = None,
) -> Ended:
    """Do some work with everything that a run needs.

    What follows an earlier run is done here, wherever that one was: its record is here.
    """
    from agent.desk import Rules
    from lmmscope.agent_hands import hands

    async with AsyncExitStack() as open_:
        follows = replayed is not None or chosen.fork is not None
        abroad = None if follows else await open_.enter_async_context(_abroad(chosen))
        ready = await open_.enter_async_context(
            hands(
                chosen.settings,
                chosen.spend,
                rules=Rules(steer=chosen.steer, free=chosen.free),
                workers=chosen.at_a_time,
                listeners=listeners,
                planted_seed=chosen.planted_seed,
                sae=chosen.sae,
                replayed=replayed,
                forked=chosen.fork,
                options=chosen.options,
                shelf=shelf,
                abroad=abroad,
            )
        )
        return await work(ready, approve, control)


def _abroad(chosen: Choices) -> AbstractAsyncContextManager[Abroad | None]:
    """The cluster, where one was chosen."""
    if chosen.ray is None:
        return nullcontext()
    from lmmscope.ray_batch import abroad
    from sae_core.errors import UserError

    if chosen.free:
        raise UserError("--free needs what other features came to, and --ray keeps them apart")
    seed, sae = chosen.planted_seed, chosen.sae
    return abroad(chosen.settings, chosen.spend, seed, sae, chosen.ray, chosen.actors)


def asking(question: str, *, go_on: bool = False, run: str | None = None) -> Work:
    """Answer a question, in the conversation of the latest run if it is to go on."""

    async def work(hands: Hands, approve: Approve, control: RunControl) -> Ended:
        from agent.conversation import conversation
        from agent.running import ask, run_name

        before = conversation(hands.store) if go_on else ()
        name = run or run_name()
        return await ask(hands, name, question, before, approve=approve, control=control)

    return work


def labelling(features: Sequence[int] = (), active: int | None = None) -> Work:
    """Label these features, or so many that fire on the most pictures."""
    from pydantic import ValidationError

    from agent.plan import Label, Plan
    from sae_core.errors import UserError

    try:
        plan = Plan(tasks=(Label(features=tuple(map(index, features)), active=active),))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "features"
        raise UserError(f"A batch: {place}: {first['msg']}") from None

    async def work(hands: Hands, approve: Approve, control: RunControl) -> Ended:
        from agent.running import do, run_name

        return await do(hands, run_name(), plan, approve=approve, control=control)

    return work


def resuming(run: str) -> Work:
    """Go on with a run where it stopped."""

    async def work(hands: Hands, approve: Approve, control: RunControl) -> Ended:
        from agent.running import resume

        return await resume(hands, run, approve=approve, control=control)

    return work
