"""What costs a lot: a run stops before it until somebody says yes or no."""

import pytest

from agent.approval import answers, waiting
from agent.desk import Rules
from agent.plan import Plan, Report, TrainSae
from agent.running import Hands, do, resume
from agent.store import Store
from tests.agent.store.conftest import PROVENANCE
from tests.tools.small_lab import HOOK, small_lab
from tools import training_cost

pytestmark = pytest.mark.anyio
PLAN = Plan(tasks=(TrainSae(hook=HOOK, features=40, k=4, tokens=96), Report()))


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(training_cost, "FREE", 0.0)
    return small_lab(tmp_path)


@pytest.fixture
def store(lab):
    with Store(lab.runs) as made:
        yield made


class Unasked:
    """These runs bring their plans along."""

    async def plan(self, request, before=()):
        raise AssertionError((request, before))


@pytest.fixture
def hands(lab, store):
    return Hands(lab, Unasked(), store, PROVENANCE, Rules(), 1)


async def nobody(_asked, _cost):
    return None


def saying(agreed):
    async def approve(asked, cost):
        assert "TFLOP" in asked
        assert cost > 0
        return agreed

    return approve


async def test_where_nobody_can_say_the_run_waits_and_tells_what_for(hands, store):
    ended = await do(hands, "r1", PLAN, approve=nobody)
    assert (ended.status, ended.asks) == ("paused", True)
    assert "TFLOP" in ended.why
    asked = waiting(store, ["r1", "other"])["r1"]
    assert asked.what in ended.why
    assert "approved_cost" not in asked.what  # that is said to programs
    assert asked.cost > 0
    assert asked.task == PLAN.tasks[0].model_dump(exclude_none=True)
    (event,) = [one for one in store.events("r1") if one.kind == "approval"]
    assert f"{event.unit}.{event.step}.{event.place}" == asked.place
    assert not [one for one in store.events("r1") if one.kind == "failure"]


@pytest.mark.parametrize(("agreed", "said"), [(True, "Trained"), (False, "nobody agreed")])
async def test_a_run_that_waited_goes_on_with_the_answer(hands, store, agreed, said):
    await do(hands, "r1", PLAN, approve=nobody)
    ended = await resume(hands, "r1", approve=saying(agreed))
    assert ended.status == "done"
    assert said in ended.answer
    assert "runs: " in ended.answer  # the task after it
    assert waiting(store, ["r1"]) == {}
    assert answers(store, "r1") == (agreed,)


async def test_whoever_waits_may_be_asked_again_and_still_not_answer(hands, store):
    await do(hands, "r1", PLAN, approve=nobody)
    before = waiting(store, ["r1"])
    assert (await resume(hands, "r1", approve=nobody)).asks
    assert waiting(store, ["r1"]) == before
