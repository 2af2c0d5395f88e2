"""A step of a graph as a node: its events are filed under it, and what it took is added up.

Knows what langgraph says of itself, and the keys `unit` and `cost` that the states share; nothing
of what a step does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime

from agent.desk import Desk
from agent.findings import Cost
from agent.meter import metered

Node = Callable[[Any, Runtime[Any], RunnableConfig], Awaitable[dict[str, Any]]]


def node(function: Callable[[Desk, Any], Awaitable[Any]]) -> Node:
    """From a function of a desk and a state to what changes in the state."""
    name = getattr(function, "__name__", "step")

    async def wrapped(state: Any, runtime: Runtime[Any], config: RunnableConfig) -> dict[str, Any]:
        given: Desk = runtime.context
        step = given.step(state["unit"], step_of(config), name)
        with step as desk, metered() as meter:
            changed = await function(desk, state)
        return {**changed, "cost": cost_of(state).plus(meter.cost).model_dump()}

    # Not functools.wraps: langgraph would see the signature of what is wrapped.
    wrapped.__name__, wrapped.__doc__ = name, function.__doc__
    return wrapped


def cost_of(state: Any) -> Cost:
    """What the steps so far took."""
    return Cost(**state.get("cost", {}))


def document(kind: Any, written: dict[str, Any] | None) -> Any:
    """A document read back from a state, if there is one."""
    return None if written is None else kind.model_validate(written)


def step_of(config: RunnableConfig) -> int:
    """The number of the step, which is the same when the step is done again after a crash."""
    return int((config.get("metadata") or {}).get("langgraph_step", 0))
