"""Workers that die are replaced, what they did is given to others, and nothing waits for ever."""

import asyncio
from types import SimpleNamespace

import pytest

from agent.bundle import Trouble
from lmmscope.ray_worker import Told
from sae_core.errors import UserError
from tests.sae_core.index.cases import case, spec
from tools.failures import WontWork

pytest.importorskip("ray")

from ray.exceptions import ActorDiedError, OutOfMemoryError, RayError

from lmmscope.ray_crew import TRIES, Crew, NoWorkers
from lmmscope.ray_index import gathered

pytestmark = pytest.mark.anyio


class Actor:
    """Answers as it is told to, in this process."""

    def __init__(self, name, answers):
        self.name, self.answers, self.asked = name, answers, []
        self.call = SimpleNamespace(remote=self.answer)

    async def answer(self, method, *given):
        await asyncio.sleep(0)
        self.asked.append((method, *given))
        said = self.answers(self, method)
        if isinstance(said, Told):
            return said
        if isinstance(said, RayError):
            raise said
        return Told(None, Trouble.of(said)) if isinstance(said, Exception) else Told(said)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def heard():
    return []


@pytest.fixture
async def crew_of(heard):
    """A crew whose workers answer as a function of the worker's number and the method says."""
    crews = []

    def make(answers, size=1):
        actors = []

        def hire():
            actors.append(Actor(len(actors), answers))
            return actors[-1]

        made = Crew(hire, size, heard.append)
        made._ray = SimpleNamespace(put=lambda given: given, kill=lambda _: None)
        made.begin()
        crews.append(made)
        return made, actors

    yield make
    for one in crews:
        await one.end()


@pytest.mark.parametrize("death", [ActorDiedError(), OutOfMemoryError("the node is full")])
async def test_what_a_dead_worker_did_is_done_by_another(crew_of, heard, death):
    """Ray's memory monitor has an error of its own: a worker it killed would fail at all else."""

    def answers(actor, method):
        return death if (method, actor.name) == ("work", 0) else actor.name

    made, _ = crew_of(answers)
    assert await made.do("work", what="feature 3") == 1
    assert await made.do("work") == 1
    (said,) = heard
    assert "a worker died" in said
    assert "feature 3 is given to another" in said


async def test_what_kills_every_worker_is_given_up(crew_of):
    def answers(actor, method):
        return ActorDiedError() if method == "work" else actor.name

    made, actors = crew_of(answers)
    with pytest.raises(WontWork, match=f"feature 3 was given to {TRIES} workers"):
        await made.do("work", what="feature 3")
    assert await made.do("rest") == TRIES
    assert len(actors) == TRIES + 1


async def test_a_mistake_kills_nobody(crew_of):
    def answers(actor, method):
        return UserError("no feature 3") if method == "work" else actor.name

    made, actors = crew_of(answers)
    with pytest.raises(UserError, match="no feature 3"):
        await made.do("work")
    assert await made.do("rest") == 0
    assert len(actors) == 1


async def test_what_comes_first_is_done_once_by_everybody(crew_of):
    def answers(actor, method):
        return ActorDiedError() if (method, actor.name) == ("work", 0) else actor.name

    made, actors = crew_of(answers)
    made.first("keep", "levels")
    for _ in range(2):
        await made.do("work")
    keeps = [[one for one in actor.asked if one[0] == "keep"] for actor in actors]
    assert keeps == [[("keep", "levels")]] * 2


async def test_a_worker_that_does_not_agree_is_let_go_and_others_work(crew_of, heard):
    def answers(actor, method):
        refuses = (method, actor.name) == ("agree", 0)
        return UserError("node0 has other coder") if refuses else actor.name

    made, actors = crew_of(answers, size=2)
    made.first("agree", "provenance")
    assert {await made.do("work") for _ in range(4)} == {1}
    assert len(actors) == 2
    assert "node0 has other coder" in heard[0]


async def test_where_nobody_agrees_nothing_waits(crew_of):
    made, _ = crew_of(lambda _, method: UserError("other") if method == "agree" else 0, size=2)
    made.first("agree", "provenance")
    waiting = [asyncio.create_task(made.do("work")) for _ in range(3)]
    for one in waiting:
        with pytest.raises(NoWorkers, match="other"):
            await one


async def test_a_worker_that_a_bug_may_have_spoilt_is_replaced(crew_of, heard):
    made, actors = crew_of(lambda actor, _: actor.name)
    assert await made.do("work", what="feature 3", spoils=lambda done: done == 0) == 0
    assert await made.do("work", spoils=lambda done: done == 0) == 1
    assert len(actors) == 2
    assert "feature 3 broke there" in heard[0]


async def test_workers_that_always_die_before_they_can_begin_end_the_waiting(crew_of):
    """As where no node has the memory that the models take."""
    made, actors = crew_of(
        lambda actor, method: ActorDiedError() if method == "agree" else actor.name, size=2
    )
    made.first("agree", "provenance")
    async with asyncio.timeout(5):
        with pytest.raises(NoWorkers):
            await made.do("work")
    assert len(actors) == 2 * TRIES


async def test_workers_that_die_as_they_come_up_end_the_waiting(crew_of):
    made, actors = crew_of(lambda *_: ActorDiedError())
    with pytest.raises(NoWorkers, match="die as soon as they come up"):
        await made.do("work")
    assert len(actors) == TRIES


async def test_a_worker_that_is_broken_as_it_comes_up_ends_the_waiting(crew_of):
    made, _ = crew_of(lambda *_: ImportError("no torchvision"))
    with pytest.raises(NoWorkers, match="no torchvision"):
        await made.do("work")


async def test_things_are_done_at_the_same_time_by_as_many_as_there_are():
    at_work = []

    class Busy:
        def __init__(self):
            self.call = SimpleNamespace(remote=self.answer)

        async def answer(self, method, *_):
            if method == "work":
                at_work.append(self)
                await asyncio.sleep(0.01)
                most.append(len(at_work))
                at_work.remove(self)
            return Told("somewhere")

    most = []
    made = Crew(Busy, 3, print)
    made._ray = SimpleNamespace(kill=lambda _: None)
    made.begin()
    await asyncio.gather(*(made.do("work") for _ in range(9)))
    await made.end()
    assert max(most) == 3


@pytest.mark.parametrize("error", [UserError("the grid differs"), WontWork("the grid differs")])
async def test_what_stops_an_index_is_told_in_one_line(tmp_path, error):
    async def do(*_, **__):
        raise error

    workers = SimpleNamespace(size=2, do=do)
    with pytest.raises(UserError, match="the grid differs"):
        await gathered(workers, tmp_path, "explore", spec(case(pictures=60)), range(60), 8)
