"""Asking: a prompt goes out, an answer comes back; or, after two repairs, a failure."""

import pytest
from PIL import Image

from prompts import load
from tests.tools.conftest import Scripted
from tests.tools.nasty import LABELS, REPLIES
from tools.asking import Question, Unparsable, asked, prompt, together
from tools.backends.budget import OverBudget
from tools.backends.local import Generated, LocalChat
from tools.failures import TryAgain, WontWork
from tools.replies import Described, label, verdict

pytestmark = pytest.mark.anyio


class Broken(Scripted):
    """Its first reply ends in mid-sentence."""

    async def reply(self, request):
        reply = await super().reply(request)
        return reply.model_copy(update={"cut": len(self.asked) == 1})


def refining(said="Shiny red cars.", **rest):
    return Question(prompt("refine"), label, {"description": said}, **rest)


def judging(said="red cars"):
    return Question(prompt("judge"), verdict, {"explanation": said}, (Image.new("L", (4, 4)),))


async def test_the_request_is_one_turn_of_pictures_and_prompt_and_names_its_template():
    chat = Scripted("1")
    assert await asked(chat, judging()) == 1
    (request,) = chat.asked
    (turn,) = request.messages
    assert (request.role, request.temperature) == ("judge", 0)
    assert request.prompt_hash == load("judge").content_hash
    assert [type(part) for part in turn.parts] == [Image.Image, str]
    assert turn.text == load("judge").render(explanation="red cars")


async def test_a_picture_takes_nothing_along_but_its_pixels():
    picture = Image.new("RGB", (4, 4))
    picture.info["scene"] = "the answer"
    chat = Scripted("1")
    await asked(chat, judging()._replace(pictures=(picture,)))
    assert chat.asked[0].pictures[0].info == {}
    assert picture.info


async def test_what_can_not_be_read_is_complained_about_in_a_conversation():
    chat = Scripted("A red car", "[ANSWER] red\n[ANSWER] car", "[ANSWER] red car")
    assert await asked(chat, refining()) == Described(text="red car")
    assert [len(request.messages) for request in chat.asked] == [1, 3, 5]
    speakers = [turn.speaker for turn in chat.asked[2].messages]
    assert speakers == ["user", "assistant", "user", "assistant", "user"]
    assert chat.asked[1].messages[1].text == "A red car"
    assert "0 times, not once" in chat.asked[1].messages[2].text
    assert "2 times, not once" in chat.asked[2].messages[4].text
    assert {request.prompt_hash for request in chat.asked} == {load("refine").content_hash}


async def test_a_model_that_takes_no_conversation_gets_the_complaint_in_its_one_turn():
    seen, replies = [], iter(["yes", "no", "1"])

    def generate(prompts, /, *, tokens):  # noqa: ARG001
        seen.extend(prompts)
        return [Generated(next(replies), 1, 1)]

    chat = LocalChat(generate, name="small", identity="small")
    assert await asked(chat, judging()) == 1
    first = load("judge").render(explanation="red cars")
    assert [one.text.startswith(first) for one in seen] == [True] * 3
    assert [one.text.count("can't be read") for one in seen] == [0, 1, 1]
    assert [len(one.pictures) for one in seen] == [1, 1, 1]


async def test_an_empty_reply_is_no_turn_of_a_conversation():
    chat = Scripted("", "[ANSWER] red car")
    await asked(chat, refining())
    (turn,) = chat.asked[1].messages
    assert turn.speaker == "user"
    assert "it is empty" in turn.text


async def test_after_two_repairs_there_is_a_failure_that_quotes_nothing():
    chat = Scripted(*["my secret thought"] * 3)
    with pytest.raises(Unparsable, match=r"scripted does not keep .* refine after 2 repairs") as it:
        await asked(chat, refining())
    assert len(chat.asked) == 3
    assert "secret" not in it.value.reason


async def test_a_reply_that_was_cut_off_is_no_answer():
    chat = Broken("[ANSWER] red", "[ANSWER] red car")
    assert await asked(chat, refining(tokens=5)) == Described(text="red car")
    assert "longer than 5 tokens" in chat.asked[1].messages[2].text


async def test_a_failing_model_is_not_asked_again():
    chat = Scripted(TryAgain("down"), "[ANSWER] red car")
    with pytest.raises(TryAgain, match="down"):
        await asked(chat, refining())
    assert len(chat.asked) == 1


@pytest.mark.parametrize("nasty", LABELS)
async def test_a_nasty_label_stays_one_line_of_data(nasty):
    """Neither expanded, nor a line or a turn of its own."""
    chat = Scripted("0")
    await asked(chat, judging(nasty))
    (turn,) = chat.asked[0].messages
    usual = load("judge").render(explanation="")
    assert turn.text.startswith(usual)
    assert len(turn.text.splitlines()) == len(usual.splitlines())
    assert not any(mark in turn.text for mark in ("<|", "</s>", "<image>", "[INST]"))
    assert ("{{fault}}" in turn.text) == ("{{fault}}" in nasty)


@pytest.mark.parametrize("nasty", REPLIES)
async def test_a_nasty_reply_is_no_verdict_and_no_turn_of_its_own(nasty):
    chat = Scripted(*[nasty] * 3)
    with pytest.raises(Unparsable):
        await asked(chat, judging())
    for request in chat.asked:
        answers = [turn.text for turn in request.messages if turn.speaker == "assistant"]
        assert not any("<|im_start|>" in text for text in answers)


async def said(value):
    if isinstance(value, BaseException):
        raise value
    return value


async def test_failures_stand_in_the_places_of_what_failed():
    failure = WontWork("held back")
    assert await together([said(1), said(failure), said(3)]) == [1, failure, 3]
    assert await together([]) == []


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ([WontWork("one"), TryAgain("two")], WontWork),
        ([1, OverBudget("calls", "spent")], OverBudget),
        ([1, WontWork("one"), ZeroDivisionError("bug")], ZeroDivisionError),
    ],
)
async def test_no_answer_at_all_a_spent_budget_and_bugs_are_raised(values, raised):
    with pytest.raises(raised):
        await together([said(value) for value in values])
