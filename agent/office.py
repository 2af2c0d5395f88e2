"""What one run has at its disposal: a desk, a planner, the store, its graphs, and how to stop it.

Built by `agent.running`. Knows what belongs together; nothing of what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import RunControl

from agent.desk import Desk
from agent.fork import Earlier
from agent.planner import Planner
from agent.store import Store

Graph = CompiledStateGraph[Any, Any, Any, Any]


class Elsewhere(Protocol):
    """Investigates features in other processes, and keeps in the store what comes home."""

    async def __call__(self, desk: Desk, store: Store, unit: str, feature: int, key: str) -> None:
        """One feature; its finding has the key."""
        ...


@dataclass(frozen=True)
class Office:
    """The context of the request graph; the graphs below it get the desk alone."""

    desk: Desk
    planner: Planner
    store: Store
    features: Graph
    behaviours: Graph
    control: RunControl
    workers: int = 2
    """How many features are investigated at a time."""
    earlier: Earlier | None = None
    """What stood answered before, for a run that follows another one."""
    elsewhere: Elsewhere | None = None
    """Where features are investigated, if not here."""
