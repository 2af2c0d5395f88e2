"""A model in process: batched, in order, and honest about what it can't do."""

import asyncio
import threading

import pytest
from PIL import Image

from tools.backends.budget import Budget
from tools.backends.chat import ChatRequest, Message
from tools.backends.ledger import MemoryLedger
from tools.backends.local import Generated, LocalChat
from tools.backends.metered import MeteredChat
from tools.failures import WontWork

pytestmark = pytest.mark.anyio


class Echo:
    """Says each prompt's text again; notes the sizes of batches, and runs only when let."""

    def __init__(self, error=None):
        self.batches, self.error = [], error
        self.free = threading.Event()
        self.free.set()

    def __call__(self, prompts, /, *, tokens):
        self.batches.append((len(prompts), tokens))
        assert self.free.wait(20)
        if self.error:
            raise self.error
        return [
            Generated(f"{prompt.text} {len(prompt.pictures)}", 100 + len(prompt.text), 2)
            for prompt in prompts
        ]


def local(generate, **rest):
    return LocalChat(generate, name="toy", identity="toy weights", **rest)


async def test_a_reply_is_what_the_function_says(request_of):
    reply = await local(Echo()).reply(request_of("Hello"))
    assert (reply.text, reply.model, reply.cut) == ("Hello 1", "toy", False)


async def test_what_went_in_and_came_out_is_what_a_ledger_records(request_of):
    """And no estimate of 2,880 tokens a picture."""
    ledger = MemoryLedger()
    chat = MeteredChat(local(Echo()), ledger, Budget())
    await chat.reply(request_of("Hello"))
    (call,) = ledger.calls
    assert (call.tokens_in, call.tokens_out, call.pictures) == (105, 2, 1)


async def test_requests_at_the_same_time_share_batches_and_get_their_own_replies(request_of):
    echo = Echo()
    chat = local(echo, batch=4)
    replies = await asyncio.gather(*(chat.reply(request_of(str(n))) for n in range(10)))
    assert [reply.text for reply in replies] == [f"{n} 1" for n in range(10)]
    assert [size for size, _ in echo.batches] == [4, 4, 2]


async def test_requests_of_different_lengths_are_batched_apart(request_of):
    echo = Echo()
    chat = local(echo)
    requests = [request_of(max_tokens=tokens) for tokens in (8, 16, 8)]
    await asyncio.gather(*(chat.reply(request) for request in requests))
    assert echo.batches == [(2, 8), (1, 16)]


async def test_a_request_that_was_given_up_does_not_hold_up_the_others(request_of):
    echo = Echo()
    echo.free.clear()
    chat = local(echo, batch=1)
    calls = [asyncio.create_task(chat.reply(request_of(str(n)))) for n in range(3)]
    while not echo.batches:
        await asyncio.sleep(0)
    calls[0].cancel()
    calls[1].cancel()
    await asyncio.sleep(0)
    echo.free.set()
    assert (await calls[2]).text == "2 1"
    assert len(echo.batches) == 2


async def test_a_bug_reaches_everybody_it_concerns_and_the_model_lives_on(request_of):
    echo = Echo(ZeroDivisionError("bug"))
    chat = local(echo)
    calls = (chat.reply(request_of()) for _ in range(2))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError] * 2
    echo.error = None
    assert (await chat.reply(request_of("Again"))).text == "Again 1"


async def test_a_reply_too_few_is_a_bug_and_nobody_gets_anothers_text(request_of):
    chat = local(lambda prompts, /, *, tokens: [Generated("only one", 1, 1)])  # noqa: ARG005
    calls = (chat.reply(request_of()) for _ in range(2))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [str(result) for result in results] == ["toy: 1 replies to 2 prompts"] * 2


TURN = Message("user", ("What?",))


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"messages": (TURN, Message("assistant", ("A bus",)), TURN)}, "no conversation"),
        ({"messages": (Message("system", ("Be brief",)),)}, "no conversation"),
        ({"messages": (TURN,), "temperature": 0.7}, r"temperature 0\.7"),
        ({"messages": (Message("user", ("See", Image.new("L", (1, 1)))),)}, "pictures first"),
    ],
)
async def test_what_the_model_can_not_do_is_refused(wrong, complaint):
    with pytest.raises(WontWork, match=complaint):
        await local(Echo()).reply(ChatRequest(role="explainer", **wrong))
