"""A batch on a Ray cluster: each feature goes to a worker, what it comes to is kept here.

Knows what workers need before they can begin; nothing of how a feature is investigated.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from langgraph.errors import GraphDrained

from agent.bundle import Bundle, Errand, replies_in
from agent.errand import Messenger
from agent.findings import Provenance
from lmmscope.laboratory import replies_of
from lmmscope.limits import Spend
from lmmscope.ray_cluster import joined
from lmmscope.ray_crew import NoWorkers, crew
from lmmscope.ray_index import index_for
from lmmscope.ray_worker import Prepared, read, write
from lmmscope.settings import Settings
from tools.backends.budget import Budget

KEPT = ("levels", "looks")
"""Folders of a runs folder with what takes long to make, and is equal wherever it is made."""


class Abroad(NamedTuple):
    """What a run has of a cluster."""

    provenance: Provenance
    """Of what is found there."""
    elsewhere: Messenger
    size: int
    """How many features are investigated at a time."""
    budget: Budget
    """Of all that the run does, here and there."""


@asynccontextmanager
async def abroad(
    settings: Settings,
    spend: Spend,
    planted_seed: int | None,
    sae: str | None,
    address: str,
    actors: int | None,
) -> AsyncGenerator[Abroad]:
    """Workers that are ready to investigate features."""
    async with joined(address), crew((settings, planted_seed, sae), actors) as workers:
        workers.first("keep", read(settings.runs, *KEPT))
        prepared: Prepared = await workers.do("prepare")
        write(settings.runs, prepared.files)
        workers.first("keep", prepared.files)
        workers.first("agree", prepared.provenance)
        for split, spec in prepared.lacking.items():  # or every worker would build its own
            out = await index_for(workers, settings, split, spec)
            workers.first("keep", read(settings.runs, str(out.relative_to(settings.runs))))

        kept, budget = replies_of(settings), Budget(spend.limits)

        async def send(errand: Errand) -> Bundle:
            try:
                bundle = await workers.do(
                    "errand", errand, what=f"feature {errand.feature}", spoils=_by_a_bug
                )
            except NoWorkers as gone:  # no feature's fault: the run can be gone on with
                raise GraphDrained(str(gone)) from gone
            for digest, reply in replies_in(bundle.calls).items():
                kept.put(digest, reply)
            return bundle

        messenger = Messenger(send, budget, workers.size)
        yield Abroad(prepared.provenance, messenger, workers.size, budget)


def _by_a_bug(bundle: Bundle) -> bool:
    """After a bug nobody knows what state a process is in, its GPU's for example."""
    return bundle.trouble is not None and bundle.trouble.kind == "bug"
