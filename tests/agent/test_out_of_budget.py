"""The end of the budget ends the work: it is no answer, and nothing is concluded from it.

A feature whose label nobody could pay for used to be kept as one without an explanation, for good.
"""

from types import SimpleNamespace

import pytest

from agent.behaviour.blame import named
from agent.feature.covering import Place, _tried
from agent.feature.editing import NearMiss, edited
from agent.feature.proposals import label_of
from agent.feature.silencing import silencing
from agent.tags import _category
from tools import effects, score
from tools.backends.budget import OverBudget
from tools.claims import parse
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio
LONG = "The pictures that are shown all have something to do with red umbrellas on beaches"


class Desk:
    """At which every tool fails in the same way."""

    lab = SimpleNamespace(pictures=lambda _: range(9))

    def __init__(self, failure):
        self._failure = failure

    async def use(self, *_, **__):
        raise self._failure


WAYS = {
    "shorten": lambda desk: label_of(desk, LONG),
    "sort": lambda desk: _category(desk, "car"),
    "cover": lambda desk: _tried(desk, 3, Place(1, "mask")),
    "edit": lambda desk: edited(desk, 3, [parse("car")], [NearMiss("car", "add", (1,))]),
    "silence": lambda desk: silencing(desk, 3, [parse("car")], [1], [2]),
    "name": lambda desk: named(desk, 3),
}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize("way", WAYS)
async def test_it_ends_what_does_without_a_tool_that_fails(way):
    assert not await WAYS[way](Desk(WontWork("no")))
    with pytest.raises(OverBudget):
        await WAYS[way](Desk(OverBudget("calls", "spent")))


async def test_a_server_that_is_down_does_not_say_that_there_is_no_label():
    with pytest.raises(TryAgain):
        await label_of(Desk(TryAgain("the explainer is down")), LONG)


async def test_no_score_goes_without_it(monkeypatch):
    async def broke(_task):
        raise OverBudget("calls", "spent")

    monkeypatch.setitem(score.MEASURES, "consistency", broke)
    with pytest.raises(OverBudget):
        await score._measured("consistency", None)


async def test_no_reply_is_left_unjudged_for_it(monkeypatch):
    async def broke(*_):
        raise OverBudget("calls", "spent")

    monkeypatch.setattr(effects, "asked", broke)
    with pytest.raises(OverBudget):
        await effects.judged(SimpleNamespace(judge=None), "car", ["a car"])
