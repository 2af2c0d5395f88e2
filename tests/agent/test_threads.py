"""What is gone on with: an investigation under way, if the same is still asked.

A run that was paused, and resumed with another model, test set or version of a prompt, used to go
on amid its investigations: findings came of evidence from before and a sealed test from after, were
kept under the key of neither, and the run ended in an AssertionError.
"""

import os
from types import SimpleNamespace
from typing import TypedDict

import aiosqlite
import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import RunControl

from agent.batch import label
from agent.desk import Desk
from agent.findings import Provenance
from agent.office import Office
from agent.running import _forget, checkpoints
from agent.store import Store
from agent.store.garbage import collect
from tests.agent.store.conftest import finding_of
from tools.backends.budget import OverBudget

pytestmark = pytest.mark.anyio
BEFORE = Provenance(model="m", hook="h", coder="coder", pictures={"test": "a"})
AFTER = BEFORE.model_copy(update={"pictures": {"test": "b"}})


@pytest.fixture
def anyio_backend():
    return "asyncio"


class State(TypedDict, total=False):
    unit: str
    feature: int
    key: str
    seen: str
    claim: str


class World:
    """Looks at a feature and concludes, as long as the budget lasts."""

    def __init__(self, store):
        self.store, self.looks, self.rich = store, [], False

    def look(self, state):
        self.looks.append(state.get("seen"))
        return {"seen": self.store.artefacts.put(b"what was seen")}

    def conclude(self, state):
        if not self.rich:
            raise OverBudget("calls", "spent")
        self.store.artefacts.get(state["seen"])
        self.store.put(finding_of(feature=state["feature"], key=state["key"]))
        return {"claim": "said"}

    def graph(self, saver):
        graph = StateGraph(State)
        graph.add_node("look", self.look)
        graph.add_node("conclude", self.conclude)
        graph.add_edge(START, "look")
        graph.add_edge("look", "conclude")
        graph.add_edge("conclude", END)
        return graph.compile(checkpointer=saver)


def office_of(store, graph, known, run="r1"):
    desk = Desk(None, run, provenance=known, keeper=store)
    return Office(desk, SimpleNamespace(), store, graph, graph, RunControl(), 1)


async def labelled(office):
    return await label(office, "0", [3], lambda finding: finding.key)


@pytest.fixture
async def paused(tmp_path):
    """A feature that was looked at, when the budget ended."""
    async with aiosqlite.connect(checkpoints(tmp_path)) as connection:
        with Store(tmp_path) as store:
            store.begin("r1", "?", BEFORE, pid=os.getpid())
            world = World(store)
            graph = world.graph(AsyncSqliteSaver(connection))
            with pytest.raises(OverBudget):
                await labelled(office_of(store, graph, BEFORE))
            world.rich = True
            yield world, store, graph


async def test_the_same_question_goes_on_where_it_was(paused):
    world, store, graph = paused
    done = await labelled(office_of(store, graph, BEFORE))
    assert (len(done.found), world.looks) == (1, [None])


async def test_another_question_begins_anew_and_knows_nothing_of_before(paused):
    world, store, graph = paused
    store.hear(office_of(store, graph, BEFORE).desk.at("0/3", 7, "verify").say("verdict", "passes"))
    done = await labelled(office_of(store, graph, AFTER))
    assert (len(done.found), world.looks) == (1, [None, None])
    told = [(one.step, one.kind) for one in store.events("r1") if one.unit == "0/3"]
    assert told == [(0, "note")]


async def test_what_an_unfinished_run_goes_on_with_is_no_garbage(paused):
    """A disk that was full was to be cleaned before going on: then features failed."""
    _, store, graph = paused
    store.ended("r1", "paused", "spent")
    for path in store.artefacts.folder.rglob("*"):
        os.utime(path, (1, 1))
    assert collect(store).files == 0
    done = await labelled(office_of(store, graph, BEFORE))
    assert len(done.found) == 1
    await _forget(SimpleNamespace(features=graph, desk=SimpleNamespace(run="r1")))
    assert collect(store).files == 1


async def test_a_run_that_ends_forgets_no_other_one(paused):
    """`_` in its name stood for any letter."""
    _, _, graph = paused
    await _forget(SimpleNamespace(features=graph, desk=SimpleNamespace(run="r_")))
    async with graph.checkpointer.conn.execute("SELECT count(*) FROM checkpoints") as found:
        assert (await found.fetchone())[0] > 0
