"""The batch's own code in simulated time: `agent.batch.label` with recorded features as its graph.

`tools.backends.throttle.Throttle` lets the calls through, as it does before a server. What is
simulated is how long things take: what comes of them is no finding that anybody may read.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, NamedTuple

from langgraph.runtime import RunControl

from agent.batch import label
from agent.desk import Desk, Rules
from agent.findings import FeatureFinding, Provenance
from agent.office import Office
from benchmarks.simulate.clock import lasting
from benchmarks.simulate.queues import Setup, drawn
from benchmarks.simulate.recorded import Leg, Recorded
from tools.backends.throttle import Throttle


class _Known(NamedTuple):
    """In place of the store: what is done."""

    findings: dict[str, FeatureFinding]

    def done(self, key: str) -> FeatureFinding | None:
        """What was found by this key."""
        return self.findings.get(key)


class _Graph:
    """In place of the feature graph: goes through a feature's legs."""

    def __init__(self, recorded: Recorded, features: int, setup: Setup, seed: int) -> None:
        self.known = _Known({})
        self._next = (recorded.features[one] for one in drawn(recorded, features, seed))
        self._calls = Throttle(setup.concurrency, setup.replicas)
        self._targets = asyncio.Semaphore(setup.targets)
        self._writer = asyncio.Lock()

    async def aget_state(self, _config: Any) -> SimpleNamespace:
        """No feature was begun before."""
        return SimpleNamespace(next=(), values={})

    async def ainvoke(self, given: dict[str, Any], _config: Any, **_: Any) -> None:
        """One feature. They are drawn in the order in which they begin."""
        for leg in next(self._next):
            await self._spent(leg)
        self.known.findings[given["key"]] = FeatureFinding.model_construct()

    async def _spent(self, leg: Leg) -> None:
        match leg.place:
            case "explainer":
                await asyncio.gather(*(self._call(leg.seconds) for _ in range(leg.times)))
            case "target":
                async with self._targets:
                    await asyncio.sleep(leg.work)
            case "writer":
                async with self._writer:
                    await asyncio.sleep(leg.work)

    async def _call(self, seconds: float) -> None:
        async with self._calls.slot():
            await asyncio.sleep(seconds)


def replayed(recorded: Recorded, features: int, setup: Setup, seed: int = 0) -> float:
    """Seconds that a batch would take."""
    return lasting(_labelled(recorded, features, setup, seed))[1]


async def _labelled(recorded: Recorded, features: int, setup: Setup, seed: int) -> None:
    graph = _Graph(recorded, features, setup, seed)
    nobody: Any = None  # `label` asks neither planner nor behaviours
    known: Any = graph.known
    plays: Any = graph
    office = Office(
        desk=_desk(), planner=nobody, store=known, features=plays, behaviours=nobody,
        control=RunControl(), workers=setup.workers,
    )  # fmt: skip
    done = await label(office, "0", range(features), lambda _: True)
    if len(done.found) != features:
        raise RuntimeError(f"{done.failed[0].reason}: a replay ends every feature")


def _desk() -> Desk:
    """Names findings; nobody works at it."""
    lab: Any = None
    known = Provenance(model="m", hook="h", coder="c", profile="simulated")
    return Desk(lab, "simulated", provenance=known, rules=Rules())
