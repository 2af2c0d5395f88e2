import asyncio

import pytest
from langchain_core.messages import AIMessage, ToolMessage

from agent.desk import Desk, Rules
from agent.findings import Provenance
from agent.roaming import roam
from agent.scripted import ScriptedModel
from sae_core.errors import UserError
from tests.tools.small_lab import small_lab


class Heard:
    def __init__(self):
        self.events = []

    def hear(self, event):
        self.events.append(event)


def call(name, number=0, **arguments):
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"{name}{number}"}])


def desk_of(tmp_path, heard, **rules):
    return Desk(
        small_lab(tmp_path),
        "run",
        provenance=Provenance(model="m", hook="h", coder="c"),
        listeners=(heard,),
        rules=Rules(**rules),
    )


CLAIMS = call("Claims", claims=["red color", "a beach"])


def roamed(tmp_path, *replies, **rules):
    heard, model = Heard(), ScriptedModel(replies=replies)
    found = asyncio.run(roam(desk_of(tmp_path, heard, **rules), model, 3, "0" * 64))
    return found, heard.events, model


def said(model, turn):
    return [m.content for m in model.asked[turn] if isinstance(m, ToolMessage)]


def test_a_model_calls_tools_and_its_claims_become_hypotheses(tmp_path):
    look = call("top_images", feature=3, negatives=1)
    found, events, model = roamed(tmp_path, look, CLAIMS)
    assert [one.claim for one in found] == ["red color", "a beach"]
    assert {one.origin for one in found} == {"free"}
    assert [event.tool for event in events] == ["top_images", None]
    assert '"feature":3' in said(model, 1)[0]


def test_sealed_pictures_are_refused_and_the_model_is_told_why(tmp_path):
    _, events, model = roamed(tmp_path, call("top_images", feature=3, split="test"), CLAIMS)
    assert "sealed" in said(model, 1)[0]
    assert events[0].kind == "failure"


def test_the_same_call_again_and_again_is_not_made(tmp_path):
    looks = [call("top_images", n, feature=3, negatives=0) for n in range(3)]
    _, events, model = roamed(tmp_path, *looks, CLAIMS, repeats=3)
    assert [event.tool for event in events] == ["top_images", "top_images", None]
    assert "exactly this before" in said(model, 3)[-1]


def test_a_model_that_never_ends_is_ended(tmp_path):
    looks = [call("top_images", n, feature=n, negatives=0) for n in range(5)]
    found, _, model = roamed(tmp_path, *looks, steps=2)
    assert found == ()
    assert len(model.asked) == 2


def test_a_script_that_runs_out_says_so(tmp_path):
    with pytest.raises(UserError, match="one more was asked for"):
        roamed(tmp_path, call("top_images", feature=3, negatives=0))
