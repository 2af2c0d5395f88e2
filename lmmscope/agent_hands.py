"""Builds what a run of the agent works with, from a profile and a command's options.

Knows constructors; nothing of what the agent does with them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

import prompts
from lmmscope.limits import Spend
from lmmscope.settings import Settings
from sae_core.errors import UserError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.desk import Rules
    from agent.events import Listener
    from agent.findings import Provenance
    from agent.fork import Earlier, Fork
    from agent.planner import Planner
    from agent.running import Hands
    from agent.served import Books, ServedModel
    from agent.store import Store
    from lmmscope.ray_batch import Abroad
    from lmmscope.shelf import Shelf
    from tools.lab import Lab


CHAT = "planner"
"""The role of the chat model, which may also investigate freely."""


@asynccontextmanager
async def hands(
    settings: Settings,
    spend: Spend,
    *,
    rules: Rules,
    workers: int,
    listeners: Sequence[Listener] = (),
    planted_seed: int | None = None,
    sae: str | None = None,
    replayed: str | None = None,
    forked: str | None = None,
    options: Mapping[str, Any] | None = None,
    shelf: Shelf | None = None,
    abroad: Abroad | None = None,
) -> AsyncGenerator[Hands]:
    """Everything for one run; a replayed one gets its models' replies from the record.

    So does one that leaves another run at an event, `forked`, as far as both share a history.
    Where features are investigated `abroad`, no model is loaded here for them.
    """
    from agent.fork import fork_at
    from agent.meter import MeteringLedger
    from agent.planner import ChatPlanner, OfflinePlanner
    from agent.running import Hands
    from agent.served import Books
    from agent.store import FoundOut
    from lmmscope.laboratory import lab
    from lmmscope.replies import Replies
    from tools.backends.budget import Budget
    from tools.backends.ledger import MemoryLedger

    with open_store(settings) as store, _kept(settings, store, replayed) as keeping:
        left = fork_at(store, forked.partition("/")[0], forked) if forked else None
        ledger = MeteringLedger(MemoryLedger())
        budget = abroad.budget if abroad else Budget(spend.limits)
        replies = Replies(store, replayed, left)
        books = Books(ledger, budget, calls=store, history=replies.history(CHAT))
        if settings.servers.planner is not None:
            books = replace(books, tariff=settings.servers.planner.tariff)
        model = replies.recorded(CHAT) if replayed else _served(settings, books)
        made = lab(
            settings,
            ledger,
            budget,
            planted_seed=planted_seed,
            sae=sae,
            around=replies.around,
            labels=FoundOut(keeping, lambda: made.observer.digest),
            shelf=shelf,
        )
        try:
            yield Hands(
                made,
                ChatPlanner(model or OfflinePlanner()),
                keeping,
                abroad.provenance if abroad else _provenance(made, settings, store, replayed, left),
                rules,
                abroad.size if abroad else workers,
                listeners,
                _explorer(settings, model) if rules.free else None,
                options or {},
                left,
                _earlier(store, replayed, left),
                abroad.elsewhere if abroad else None,
            )
            replies.check()
        finally:
            await made.close()


def _provenance(
    made: Lab, settings: Settings, store: Store, replayed: str | None, left: Fork | None
) -> Provenance:
    """What findings rest on; those of a replay on what they rested on before."""
    from agent.fork import same_features
    from agent.provenance import provenance

    if replayed is not None:
        return store.run(replayed).provenance
    known = provenance(made, settings.name)
    if left is None:
        return known
    same_features(left, store.run(left.run).provenance, known)
    return known.model_copy(update={"fork": left.event})


def _earlier(store: Store, replayed: str | None, left: Fork | None) -> Earlier | None:
    """What stood answered before a run that follows another one."""
    from agent.fork import earlier

    if replayed is not None:
        return earlier(store, replayed, store.run(replayed).began)
    return None if left is None else earlier(store, left.run, left.at, left.unit)


@contextmanager
def _kept(settings: Settings, store: Store, replayed: str | None) -> Generator[Store]:
    """Where the run is kept; a replay apart, so that nothing counts as found out twice."""
    from agent.store import Store

    if replayed is None:
        yield store
        return
    with TemporaryDirectory(prefix="replay-", dir=settings.runs) as room, Store(Path(room)) as own:
        own.take_seals(store, store.run(replayed).began)
        yield own


def open_store(settings: Settings) -> Store:
    """The profile's findings."""
    from agent.store import Store

    return Store(settings.runs)


def planner(settings: Settings) -> Planner:
    """The profile's chat model with tools, or the offline one; what they take is not counted."""
    from agent.planner import ChatPlanner, OfflinePlanner

    return ChatPlanner(_served(settings) or OfflinePlanner())


def _explorer(settings: Settings, model: BaseChatModel | None) -> BaseChatModel:
    if model is None:
        raise UserError(
            f"Profile {settings.name!r} names no chat model that could investigate freely. Set "
            "servers.planner in it, or LMMSCOPE_SERVERS__PLANNER=http://localhost:30000"
        )
    return model


def _served(settings: Settings, books: Books | None = None) -> ServedModel | None:
    from agent.served import Books, ServedModel

    model = free_model(settings)
    if model is None:
        return None
    return ServedModel(model=model, prompt=prompts.load("plan"), books=books or Books())


def free_model(settings: Settings) -> BaseChatModel | None:
    """The profile's served planner, which may also investigate freely."""
    if settings.servers.planner is None:
        return None
    from langchain_openai import ChatOpenAI

    from lmmscope.laboratory import named

    server = named(settings.servers.planner)
    return ChatOpenAI(
        base_url=f"{server.base_url}/v1",
        model=server.model,
        api_key=server.api_key or SecretStr("none"),  # the client insists on one
        timeout=server.seconds,
        max_retries=server.attempts - 1,
    )
