"""The nodes of the behaviour graph: reproduce, blame, sweep, seal, conclude.

Knows the state of a fix on its way; how each step is done is in `agent.behaviour`.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from agent import behaviour
from agent.behaviour import Blamed, Case, Sealed, Swept
from agent.desk import Desk
from agent.nodes.steps import cost_of, document, node
from agent.plan import Fix


class BehaviourState(TypedDict, total=False):
    """A fix on its way; all of it plain JSON."""

    unit: str
    task: dict[str, Any]
    key: str
    """What is asked of what, by content."""
    case: dict[str, Any]
    blamed: dict[str, Any]
    swept: dict[str, Any]
    sealed: dict[str, Any]
    finding: str
    cost: dict[str, Any]


@node
async def reproduce(desk: Desk, state: BehaviourState) -> BehaviourState:
    """How often it happens, on development questions."""
    case = await behaviour.reproduce(desk, _task(state))
    return {"case": case.model_dump(mode="json")}


def after_reproduce(state: BehaviourState) -> Literal["blame", "conclude"]:
    """What does not happen needs no fix."""
    return "blame" if _case(state).reproduced else "conclude"


@node
async def blame(desk: Desk, state: BehaviourState) -> BehaviourState:
    """Which features speak for the wrong answer."""
    blamed = await behaviour.blame(desk, _case(state))
    return {"blamed": blamed.model_dump(mode="json")}


@node
async def sweep(desk: Desk, state: BehaviourState) -> BehaviourState:
    """What mends it without harm, on development questions."""
    blamed = Blamed.model_validate(state["blamed"])
    swept = await behaviour.sweep(desk, _case(state), blamed)
    return {"swept": swept.model_dump(mode="json")}


def after_sweep(state: BehaviourState) -> Literal["seal", "conclude"]:
    """Without a recipe there is nothing to test."""
    return "seal" if Swept.model_validate(state["swept"]).chosen else "conclude"


@node
async def seal(desk: Desk, state: BehaviourState) -> BehaviourState:
    """One shot at the sealed questions."""
    swept = Swept.model_validate(state["swept"])
    sealed = await behaviour.seal(desk, _task(state), _case(state), swept)
    return {"sealed": sealed.model_dump(mode="json")}


@node
async def conclude(desk: Desk, state: BehaviourState) -> BehaviourState:
    """Write the finding down; from then on it stands."""
    finding = behaviour.conclude(
        desk,
        _task(state),
        _case(state),
        document(Blamed, state.get("blamed")),
        document(Swept, state.get("swept")),
        document(Sealed, state.get("sealed")),
        cost_of(state),
    )
    return {"finding": desk.keeper.put(finding)}


def _task(state: BehaviourState) -> Fix:
    return Fix.model_validate(state["task"])


def _case(state: BehaviourState) -> Case:
    return Case.model_validate(state["case"])
