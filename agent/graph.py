"""The graphs: which step follows which. Edges only; what a step does is in `agent.nodes`.

- The request graph plans, does one task after the other, and answers.
- The feature graph explains, experiments until one hypothesis wins, verifies, steers, concludes.
- The behaviour graph reproduces, attributes, sweeps, and tests one recipe on sealed pictures.
"""

from __future__ import annotations

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from agent.desk import Desk
from agent.nodes import behaviour, feature, request
from agent.nodes.behaviour import BehaviourState
from agent.nodes.feature import FeatureState
from agent.nodes.request import RequestState
from agent.office import Office
from tools.failures import TryAgain

RETRIES = RetryPolicy(retry_on=TryAgain, max_attempts=3, initial_interval=0.5)
"""A step is done again only where its tool says that this may help."""
Unbuilt = StateGraph[Any, Any, Any, Any]


def _empty(state: Any, context: Any) -> Any:
    """Untyped: contexts are handles, which langgraph takes and its annotations do not foresee."""
    return StateGraph(state, context)


def request_graph() -> Unbuilt:
    """One request."""
    graph = _empty(RequestState, Office)
    graph.add_node("plan", request.plan)
    graph.add_node("work", request.work)
    graph.add_node("answer", request.answer)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", request.after_plan, ["work", "answer"])
    graph.add_conditional_edges("work", request.after_work, ["work", "answer"])
    graph.add_edge("answer", END)
    return graph


def feature_graph() -> Unbuilt:
    """One feature."""
    graph = _empty(FeatureState, Desk)
    for node in (
        feature.gather, feature.propose, feature.roam, feature.experiment, feature.choose,
        feature.verify, feature.steer, feature.conclude,
    ):  # fmt: skip
        graph.add_node(node.__name__, node, retry_policy=RETRIES)
    graph.add_edge(START, "gather")
    graph.add_conditional_edges("gather", feature.after_gather, ["propose", "roam", "conclude"])
    graph.add_edge("roam", "choose")
    for node in ("propose", "experiment"):
        graph.add_conditional_edges(node, feature.after_propose, ["experiment", "choose"])
    graph.add_conditional_edges("choose", feature.after_choose, ["verify", "steer"])
    graph.add_edge("verify", "steer")
    graph.add_edge("steer", "conclude")
    graph.add_edge("conclude", END)
    return graph


def behaviour_graph() -> Unbuilt:
    """One behaviour."""
    graph = _empty(BehaviourState, Desk)
    for node in (
        behaviour.reproduce, behaviour.blame, behaviour.sweep, behaviour.seal, behaviour.conclude,
    ):  # fmt: skip
        graph.add_node(node.__name__, node, retry_policy=RETRIES)
    graph.add_edge(START, "reproduce")
    graph.add_conditional_edges("reproduce", behaviour.after_reproduce, ["blame", "conclude"])
    graph.add_edge("blame", "sweep")
    graph.add_conditional_edges("sweep", behaviour.after_sweep, ["seal", "conclude"])
    graph.add_edge("seal", "conclude")
    graph.add_edge("conclude", END)
    return graph
