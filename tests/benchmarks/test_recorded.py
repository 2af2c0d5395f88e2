"""What a store says of how long features took, and how often they asked."""

import os
from datetime import timedelta

import pytest

from agent.findings import Cost
from agent.store import Store
from benchmarks.simulate.recorded import Leg, read
from sae_core.errors import UserError
from tests.agent.store.conftest import NOON, PROVENANCE, call_of, event_of, finding_of


def tool(name, step, place, seconds, calls=0, **arguments):
    cost = Cost(seconds=seconds, calls=calls)
    return event_of(
        unit="0/118", kind="tool", tool=name, step=step, place=place, cost=cost, arguments=arguments
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One feature: it looks, asks, looks twice, steers, is judged while it looks, and knows
    the last answer already."""
    folder = tmp_path_factory.mktemp("runs")
    with Store(folder) as store:
        store.begin("r1", "?", PROVENANCE, pid=os.getpid())
        for event in (
            event_of("asked", unit="run", step=0, kind="asked", result={"options": {"workers": 3}}),
            tool("look", 1, 0, 2.0, pictures=[1, 2, 3], concepts=["cat", "dog"]),
            tool("explain", 1, 1, 0.5, calls=4),
            tool("look", 1, 2, 1.0, pictures=[1], concepts=["cat"]),
            tool("steer", 1, 3, 3.0, strengths=[1, 2], controls=["random"], tokens=16),
            tool("score", 2, 0, 5.0, calls=2, held_out=136),
            tool("explain", 3, 0, 0.1, calls=0),
        ):
            store.hear(event)
        for seconds in (1.0, 2.0):
            judged = call_of(unit="0/118", step=2, role="judge", cost=Cost(calls=1))
            store.record(judged.model_copy(update={"cost": Cost(calls=1, seconds=seconds)}))
        store.put(finding_of(118, at=NOON + timedelta(minutes=2)))
        store.ended("r1", "done", "so")
    return folder


def test_legs_are_what_was_done_at_each_place_in_its_order(runs):
    (legs,) = read(runs).features
    write = legs[-1].seconds
    assert write > 0
    assert legs == (
        Leg("target", 2.0),
        Leg("explainer", 0.5, 4),
        Leg("target", 4.0),
        Leg("writer", write, 4),
        Leg("target", 3.5),
        Leg("explainer", 1.5, 2),
        Leg("writer", write, 1 + 2),
        Leg("target", 0.1),
        Leg("writer", write, 1),
    )


def test_what_a_feature_asked_for_is_counted(runs):
    found = read(runs).asked
    assert found.grounded == 3 * 2 + 1 + 136
    assert (found.steered, found.tokens) == (1 + 2 * 2, 16)
    assert (found.judged, found.explained) == (2, 0)


def test_the_batch_itself_is_known(runs):
    found = read(runs)
    assert found.workers == 3
    assert found.per_minute == pytest.approx(0.5, rel=0.01)


def test_a_folder_without_findings_is_refused(tmp_path):
    with Store(tmp_path):
        pass
    with pytest.raises(UserError, match="holds no findings"):
        read(tmp_path)
