"""The graphs as langgraph's own tools open them."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRAPHS = json.loads((ROOT / "langgraph.json").read_text())["graphs"]


@pytest.mark.parametrize("name", GRAPHS)
def test_each_graph_that_is_named_compiles(name):
    path, _, attribute = GRAPHS[name].partition(":")
    spec = importlib.util.spec_from_file_location("opened", ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    compiled = getattr(module, attribute)().compile()
    assert len(compiled.get_graph().nodes) > 3


def test_no_edge_of_the_feature_graph_goes_around_the_verification():
    """From any claim to a conclusion there is one way, and it leads through the sealed test."""
    from agent.graph import feature_graph

    drawn = feature_graph().compile().get_graph()
    into = {}
    for edge in drawn.edges:
        into.setdefault(edge.target, set()).add(edge.source)
    assert into["conclude"] == {"gather", "steer"}  # gather: too rare to claim anything
    assert into["verify"] == {"choose"}
    assert into["steer"] == {"choose", "verify"}  # choose: without a claim


def test_with_a_claim_the_next_step_is_the_verification():
    from agent.nodes.feature import after_choose

    assert after_choose({"claim": "red cars"}) == "verify"
    assert after_choose({"claim": None}) == "steer"


def test_states_hold_plain_json_alone():
    from agent.nodes.behaviour import BehaviourState
    from agent.nodes.feature import FeatureState
    from agent.nodes.request import RequestState

    plain = {"str", "int", "float", "bool", "None", "dict", "list", "Any", "|", "[", "]", ","}
    for state in (FeatureState, BehaviourState, RequestState):
        for kind in state.__annotations__.values():
            text = getattr(kind, "__forward_arg__", str(kind))
            for part in ("[", "]", ",", "|"):
                text = text.replace(part, f" {part} ")
            assert set(text.split()) <= plain, text
