"""Requests are recorded word for word, and a replay says what was said."""

import asyncio

import pytest
from PIL import Image

from agent.meter import MeteringLedger
from agent.transcript import NotRecorded, ReplayedChat, TranscribedChat, asking
from tests.tools.conftest import Scripted
from tools.artefacts import Artefacts
from tools.backends.budget import Budget, OverBudget
from tools.backends.chat import ChatRequest, Message, NoConversation
from tools.backends.ledger import MemoryLedger
from tools.backends.metered import MeteredChat
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Kept:
    def __init__(self):
        self.calls = []

    def record(self, call):
        self.calls.append(call)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def artefacts(tmp_path):
    return Artefacts(tmp_path)


def request_of(text="what is it?", *parts, **settings):
    return ChatRequest(role="judge", messages=(Message("user", (text, *parts)),), **settings)


def picture(colour="red"):
    return Image.new("RGB", (4, 4), colour)


async def test_a_request_is_recorded_with_its_pictures_and_who_asked(kept, artefacts):
    model = MeteredChat(Scripted("a cat"), MeteringLedger(MemoryLedger()), Budget())
    chat = TranscribedChat(model, kept, artefacts)
    request = request_of("what is it?", picture(), max_tokens=7, prompt_hash="abc")
    with asking("r1", "0/118", 3):
        reply = await chat.reply(request)
    (call,) = kept.calls
    assert (call.run, call.unit, call.step, call.role) == ("r1", "0/118", 3, "judge")
    assert (call.model, call.identity, call.prompt) == ("scripted", "scripted", "abc")
    assert call.digest == request.digest("scripted")
    assert (call.reply, call.failure) == (reply, None)
    assert call.settings["max_tokens"] == 7
    text, shown = call.messages[0].parts
    assert text.text == "what is it?"
    assert artefacts.picture(shown.picture).tobytes() == picture().tobytes()
    assert call.cost.calls == 1
    assert (chat.name, chat.identity) == ("scripted", "scripted")


async def test_what_is_asked_for_no_run_leaves_no_record(kept, artefacts):
    reply = await TranscribedChat(Scripted("a cat"), kept, artefacts).reply(request_of())
    assert reply.text == "a cat"
    assert kept.calls == []


async def test_two_steps_at_once_are_told_apart(kept, artefacts):
    chat = TranscribedChat(Scripted("a", "b"), kept, artefacts)

    async def ask(unit, text):
        with asking("r1", unit, 0):
            await asyncio.sleep(0)
            await chat.reply(request_of(text))

    await asyncio.gather(ask("0/1", "one"), ask("0/2", "two"))
    told = {call.unit: call.messages[0].parts[0].text for call in kept.calls}
    assert told == {"0/1": "one", "0/2": "two"}


@pytest.mark.parametrize("failure", [TryAgain("busy"), WontWork("no"), NoConversation("one turn")])
async def test_a_failure_is_recorded_and_fails_the_replay_alike(kept, artefacts, failure):
    chat = TranscribedChat(Scripted(failure, "a cat"), kept, artefacts)
    with asking("r1", "0/118", 3):
        with pytest.raises(type(failure)):
            await chat.reply(request_of())
        await chat.reply(request_of())
    replay = ReplayedChat(kept.calls, [])
    with asking("r2", "0/118", 3):
        with pytest.raises(type(failure), match=failure.reason):
            await replay.reply(request_of())
        assert (await replay.reply(request_of())).text == "a cat"


async def test_a_budget_that_is_spent_is_no_reply(kept, artefacts):
    chat = TranscribedChat(Scripted(OverBudget("calls", "spent")), kept, artefacts)
    with asking("r1", "0/118", 3), pytest.raises(OverBudget):
        await chat.reply(request_of())
    assert kept.calls == []


async def test_a_replay_gives_each_unit_its_own_replies_in_order(kept, artefacts):
    chat = TranscribedChat(Scripted("1a", "2a", "1b"), kept, artefacts)
    warm = request_of(temperature=1)
    for unit in ("0/1", "0/2", "0/1"):
        with asking("r1", unit, 0):
            await chat.reply(warm)
    replay = ReplayedChat(kept.calls, [])
    said = []
    for unit in ("0/2", "0/1", "0/1"):
        with asking("r2", unit, 0):
            said.append((await replay.reply(warm)).text)
    assert said == ["2a", "1a", "1b"]
    with asking("r2", "0/1", 0), pytest.raises(NotRecorded, match="a time 3"):
        await replay.reply(warm)


async def test_what_never_changes_may_be_asked_more_often(kept, artefacts):
    chat = TranscribedChat(Scripted("a cat"), kept, artefacts)
    with asking("r1", "0", 0):
        await chat.reply(request_of())
    missed = []
    replay = ReplayedChat(kept.calls, missed)
    with asking("r2", "0", 5):
        assert [(await replay.reply(request_of())).text for _ in range(3)] == ["a cat"] * 3
    assert missed == []


@pytest.mark.parametrize(
    "changed",
    [request_of("what else?"), request_of("what is it?", picture("blue")), request_of(seed=1)],
)
async def test_what_was_never_asked_is_told_in_one_line_and_remembered(kept, artefacts, changed):
    chat = TranscribedChat(Scripted("a cat"), kept, artefacts)
    with asking("r1", "0/118", 0):
        await chat.reply(request_of("what is it?", picture()))
    missed = []
    replay = ReplayedChat(kept.calls, missed)
    with asking("r2", "0/118", 0), pytest.raises(NotRecorded) as failed:
        await replay.reply(changed)
    assert "never asked its judge 'what" in failed.value.reason
    assert missed == [failed.value]


async def test_a_model_that_was_never_asked_has_nothing_to_say():
    with pytest.raises(NotRecorded, match="never asked its judge"):
        await ReplayedChat([], []).reply(request_of())


async def test_a_run_that_changed_its_model_is_replayed_by_what_each_said_in_its_step(
    kept, artefacts
):
    """As a fork does that goes on with another model: the same question has two answers."""
    for step, name in ((2, "old"), (5, "new")):
        model = Scripted(f"by the {name} one")
        model.identity = name
        with asking("r1", "0/7", step):
            await TranscribedChat(model, kept, artefacts).reply(request_of())
    replay = ReplayedChat(kept.calls, [])
    said = []
    for step in (5, 2):
        with asking("r2", "0/7", step):
            said.append((await replay.reply(request_of())).text)
    assert said == ["by the new one", "by the old one"]
