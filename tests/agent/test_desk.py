"""Whatever is done at a desk is recorded, with what it took; sealed pictures open once."""

import asyncio

import pytest

from agent.desk import Desk
from agent.findings import Provenance
from agent.meter import MeteringLedger, metered
from tools.backends.budget import Budget
from tools.backends.chat import ChatReply
from tools.backends.ledger import MemoryLedger
from tools.backends.metered import MeteredChat
from tools.failures import TryAgain, WontWork
from tools.lab import Lab, Makers

pytestmark = pytest.mark.anyio
EXPLANATION = "All pictures show red cars."


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Explaining:
    """A chat model that says what it is given to say, after whoever should ask has asked."""

    name = identity = "explaining"

    def __init__(self, *replies, askers=1):
        self._replies, self._all_here = list(replies), asyncio.Barrier(askers)

    async def reply(self, _):
        await self._all_here.wait()
        said = self._replies.pop(0)
        if isinstance(said, Exception):
            raise said
        return ChatReply(text=said, model=self.name, tokens_in=10, tokens_out=3)


class Pictures:
    """A split that nobody looks at."""

    def __init__(self, digest):
        self.digest = digest

    def __len__(self):
        return 3

    def picture(self, number):
        raise AssertionError(f"nobody should look at picture {number}")


class Listening:
    """A listener that remembers."""

    def __init__(self):
        self.events = []

    def hear(self, event):
        self.events.append(event)


def nobody():
    raise WontWork("This lab has nobody to ask")


@pytest.fixture
def listening():
    return Listening()


@pytest.fixture
def desk_with(tmp_path, listening):
    """A desk whose lab has this explainer and nothing else but empty pictures."""

    def make(explainer=None):
        asked = explainer and MeteredChat(explainer, MeteringLedger(MemoryLedger()), Budget())
        makers = Makers(
            observer=nobody,
            index=lambda _: nobody(),
            explainer=(lambda: asked) if asked else nobody,
            judge=nobody,
            grounder=nobody,
            clip=nobody,
        )
        lab = Lab(makers, {"explore": Pictures("e"), "test": Pictures("t")}, tmp_path)
        provenance = Provenance(model="m", hook="h", coder="c")
        return Desk(lab, "run-1", provenance=provenance, listeners=[listening])

    return make


async def test_a_call_is_recorded_with_arguments_result_and_cost(desk_with, listening):
    desk = desk_with(Explaining("[ANSWER] red cars")).at("0/118", 3, "label")
    result = await desk.use("refine", "shorten it", explanation=EXPLANATION)
    [event] = listening.events
    assert (event.kind, event.who, event.text) == ("tool", "label", "shorten it")
    assert event.name == "run-1/0/118.3.0"
    assert (event.tool, event.arguments) == ("refine", {"explanation": EXPLANATION})
    assert event.result == result.model_dump(mode="json")
    assert result.outcome.text == "red cars"
    assert (event.cost.calls, event.cost.tokens) == (1, 13)
    assert event.cost.seconds > 0


async def test_a_call_without_words_is_told_by_what_the_tool_does(desk_with, listening):
    await desk_with(Explaining("[ANSWER] cars")).use("refine", explanation=EXPLANATION)
    assert listening.events[0].text == "Shorten an explanation to a label."


async def test_a_failure_is_recorded_with_what_it_took_and_raised(desk_with, listening):
    """Two replies that can't be read were paid for before the server was gone."""
    desk = desk_with(Explaining("", "", TryAgain("The server is busy")))
    with pytest.raises(TryAgain, match="busy"):
        await desk.use("refine", explanation=EXPLANATION)
    [event] = listening.events
    assert (event.kind, event.text) == ("failure", "The server is busy")
    assert event.arguments == {"explanation": EXPLANATION}
    assert (event.cost.calls, event.cost.tokens) == (2, 26)


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("refine", {"explanation": ""}, "refine: explanation"),
        ("refine", {"explanation": "cars", "loud": True}, "refine: loud"),
        ("refin", {"explanation": "cars"}, "Did you mean refine"),
    ],
)
async def test_a_call_that_never_starts_is_recorded_too(
    desk_with, listening, tool, arguments, reason
):
    """A model that investigates freely makes such calls: the transcript has to show them."""
    with pytest.raises(WontWork, match=reason):
        await desk_with().use(tool, **arguments)
    [event] = listening.events
    assert (event.kind, event.tool, event.arguments) == ("failure", tool, arguments)
    assert reason in event.text


async def test_an_argument_named_text_reaches_its_tool(desk_with, listening):
    """It used to be taken for the line of the transcript, and the tool was called without it."""
    with pytest.raises(WontWork, match="nobody to ask"):
        await desk_with().use("probe", text="a red car")
    assert listening.events[0].arguments["text"] == "a red car"


async def test_two_tasks_at_once_are_metered_apart_and_together(desk_with, listening):
    desk = desk_with(Explaining("[ANSWER] cars", "[ANSWER] red cars", askers=2))
    with metered() as whole:
        await asyncio.gather(
            desk.at("0/1", 0, "label").use("refine", explanation="They show cars."),
            desk.at("0/2", 0, "label").use("refine", explanation="They show red cars."),
        )
    assert {event.unit for event in listening.events} == {"0/1", "0/2"}
    assert [event.cost.calls for event in listening.events] == [1, 1]
    assert [event.cost.tokens for event in listening.events] == [13, 13]
    assert (whole.cost.calls, whole.cost.tokens) == (2, 26)


def test_events_of_a_step_are_counted_apart_from_others(desk_with, listening):
    desk = desk_with()
    one, other = desk.at("0/1", 2, "explain"), desk.at("0/1", 3, "verify")
    for place in (one, other, one):
        place.say("note", "hm")
    assert [(event.step, event.place) for event in listening.events] == [(2, 0), (3, 0), (2, 1)]


def test_a_step_done_again_writes_the_same_names(desk_with, listening):
    for _ in range(2):
        again = desk_with().at("0/1", 2, "explain")
        again.say("note", "first")
        again.say("note", "second")
    names = [event.name for event in listening.events]
    assert names[:2] == names[2:]
    assert len(set(names)) == 2


def test_what_is_said_is_one_line(desk_with, listening):
    desk_with().say("note", "  two\n lines\t")
    assert listening.events[0].text == "two lines"


def test_sealed_pictures_open_for_one_claim_of_a_finding(desk_with):
    """At every desk of a run; for the same claim again, since a crash may have come in between."""
    desk = desk_with()
    assert len(desk.opened("feature 3", "red cars", "test").lab.pictures("test")) == 3
    desk.at("0/3", 5, "verify").opened("feature 3", "red cars", "test")
    with pytest.raises(WontWork, match="opened for this finding before, and for another claim"):
        desk.at("0/3", 6, "verify").opened("feature 3", "cars", "test")
    desk.opened("feature 4", "cars", "test")


def test_opening_the_same_pictures_again_for_the_same_feature_is_counted(desk_with):
    """By another seed or other settings, which make another finding of it."""
    desk = desk_with()
    openings = [
        ("seed 0", "red cars", "feature 3"),
        ("seed 1", "cars", "feature 3"),
        ("seed 0 again", "hat", "feature 4"),
    ]
    tries = [desk.opened(key, claim, "test", of).tries for key, claim, of in openings]
    assert tries == [1, 2, 1]


def test_the_lab_of_a_desk_stays_sealed_when_the_verification_has_opened_it(desk_with):
    desk = desk_with()
    desk.opened("feature 3", "red cars", "test")
    with pytest.raises(WontWork, match="sealed"):
        desk.lab.pictures("test")
