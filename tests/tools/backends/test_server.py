"""A misbehaving server never hangs the caller, and what it sends never becomes a text."""

import asyncio
import base64
import io
import json
import logging
import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from tests.tools.backends import misbehaving as bad
from tests.tools.backends.misbehaving import Misbehaving
from tools.backends.breaker import CircuitOpen
from tools.backends.budget import Budget
from tools.backends.cache import ReplyCache
from tools.backends.config import ServerConfig
from tools.backends.ledger import MemoryLedger
from tools.backends.metered import MeteredChat
from tools.backends.patience import retry_after
from tools.backends.server import ServerChat
from tools.failures import ToolFailure, TryAgain, WontWork

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789"
SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}}


def config_for(server, **rest):
    defaults = {"first_pause": 0.0, "seconds": 20.0, "attempts": 2}
    return ServerConfig(base_url=server.url, model="lmm", **(defaults | rest))


class Pauses:
    """A clock that stands still, and notes how long it should have run."""

    def __init__(self):
        self.noted = []

    async def __call__(self, seconds):
        self.noted.append(seconds)


async def ask(server, request, pause=asyncio.sleep, **rest):
    async with ServerChat(config_for(server, **rest), pause) as chat:
        return await chat.reply(request)


async def test_a_reply_comes_with_the_servers_counts(request_of):
    async with Misbehaving(bad.saying("a red bus")) as server:
        reply = await ask(server, request_of())
    assert (reply.text, reply.model, reply.cut) == ("a red bus", "served-name", False)
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (700, 5, 600)
    assert reply.seconds > 0


async def test_a_reply_without_counts_has_none(request_of):
    async with Misbehaving(bad.saying("a bus", usage=None, model=None)) as server:
        reply = await ask(server, request_of())
    assert (reply.tokens_in, reply.tokens_out, reply.model) == (None, None, "lmm")


async def test_a_reply_that_was_cut_off_says_so(request_of):
    choice = {"message": {"content": "a red"}, "finish_reason": "length"}
    async with Misbehaving(bad.saying(choices=[choice])) as server:
        assert (await ask(server, request_of())).cut


async def test_what_is_sent_is_a_chat_completion_request(request_of):
    async with Misbehaving(bad.saying()) as server:
        await ask(server, request_of(max_tokens=9, temperature=0.5, seed=3))
    asked = server.asked[0]
    assert asked.path == "/v1/chat/completions"
    sent = {name: asked.body[name] for name in ("model", "max_tokens", "temperature", "seed")}
    assert sent == {"model": "lmm", "max_tokens": 9, "temperature": 0.5, "seed": 3}
    picture, text = asked.body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is bright?"}
    decoded = Image.open(io.BytesIO(base64.b64decode(picture["image_url"]["url"].split(",")[1])))
    assert (decoded.format, decoded.size, decoded.getpixel((0, 0))) == ("PNG", (8, 6), (255, 0, 0))


async def test_a_turn_without_pictures_is_sent_as_plain_text(request_of):
    async with Misbehaving(bad.saying()) as server:
        await ask(server, request_of("Hello", pictures=()))
    assert server.asked[0].body["messages"] == [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(("count", "told", "marked"), [(2, True, 2), (1, True, 0), (2, False, 0)])
async def test_several_pictures_are_marked_for_sglang_when_told_so(request_of, count, told, marked):
    pictures = [Image.new("RGB", (4, 4))] * count
    async with Misbehaving(bad.saying()) as server:
        await ask(server, request_of(pictures=pictures), multi_images=told)
    parts = server.asked[0].body["messages"][0]["content"][:count]
    assert [part.get("modalities") for part in parts].count("multi-images") == marked


PASSING = {
    "too many requests": bad.refusing("429 Too Many Requests"),
    "server error": bad.refusing("500 Internal Server Error"),
    "half a body": bad.half_a_body,
    "invalid JSON": bad.sending(b'{"choices": ['),
    "dropped connection": bad.hanging_up,
}
LASTING = {
    "wrong schema": bad.sending(b'{"result": "a red bus"}'),
    "a bare text": bad.sending(b'"a red bus"'),
    "no choices": bad.saying(choices=[]),
    "a number for a text": bad.saying(choices=[{"message": {"content": 5}}]),
    "no text": bad.saying(None),
    "negative counts": bad.saying(usage={"prompt_tokens": -1}),
    "filtered": bad.saying(
        choices=[{"message": {"content": ""}, "finish_reason": "content_filter"}]
    ),
    "bad request": bad.refusing("400 Bad Request"),
    "not found": bad.refusing("404 Not Found"),
    "no content": bad.sending(b"", "204 No Content"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_fault_that_passes_is_tried_again(request_of, fault):
    async with Misbehaving(fault, bad.saying("a red bus")) as server:
        assert (await ask(server, request_of())).text == "a red bus"


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_fault_that_stays_ends_in_try_again(request_of, fault):
    async with Misbehaving(fault) as server:
        with pytest.raises(TryAgain, match=r"127\.0\.0\.1.*attempt 3"):
            await ask(server, request_of(), attempts=3)
    assert len(server.asked) == 3


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
async def test_a_wrong_answer_is_not_asked_for_again(request_of, fault):
    async with Misbehaving(fault) as server:
        with pytest.raises(WontWork, match=r"127\.0\.0\.1"):
            await ask(server, request_of())
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [bad.silence, bad.an_endless_stream, bad.a_trickle])
async def test_a_call_ends_in_time_whatever_comes(request_of, fault):
    async with Misbehaving(fault) as server:
        with pytest.raises(TryAgain, match=r"no whole answer within 0\.1 s"):
            await asyncio.wait_for(
                ask(server, request_of(), seconds=0.1, longest_reply=10**12), timeout=20
            )


async def test_a_stream_without_end_is_left_at_the_limit_of_bytes(request_of):
    async with Misbehaving(bad.an_endless_stream) as server:
        with pytest.raises(WontWork, match="more than 100000 bytes"):
            await ask(server, request_of(), longest_reply=100_000)


async def test_a_compressed_body_can_not_grow_past_the_limit(request_of):
    async with Misbehaving(bad.saying()) as server:
        await ask(server, request_of())
    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_a_server_that_is_not_there_is_named(request_of):
    async with Misbehaving(bad.saying()) as server:
        config = config_for(server, attempts=1)
    async with ServerChat(config) as chat:
        with pytest.raises(TryAgain, match=r"127\.0\.0\.1.*can't be talked to"):
            await chat.reply(request_of())


async def test_a_redirect_is_not_followed_and_the_other_host_hears_nothing(request_of):
    async with (
        Misbehaving(bad.saying("stolen")) as other,
        Misbehaving(bad.redirecting(other.url)) as server,
    ):
        with pytest.raises(WontWork, match="redirect"):
            await ask(server, request_of(), api_key=KEY)
    assert len(server.asked) == 1
    assert other.asked == []


async def test_a_pause_is_as_long_as_the_server_asks_for(request_of):
    pauses = Pauses()
    async with Misbehaving(
        bad.refusing("429 Too Many Requests", "Retry-After: 7"), bad.saying()
    ) as server:
        await ask(server, request_of(), pauses)
    assert pauses.noted == [7.0]


async def test_a_pause_longer_than_the_call_may_take_ends_it_and_is_told(request_of):
    async with Misbehaving(bad.refusing("503 Busy", "Retry-After: 3600")) as server:
        with pytest.raises(TryAgain) as failed:
            await ask(server, request_of(), Pauses())
    assert failed.value.after == 3600
    assert len(server.asked) == 1


async def test_pauses_double(request_of):
    pauses = Pauses()
    async with Misbehaving(bad.refusing("500 Oops")) as server:
        with pytest.raises(TryAgain):
            await ask(server, request_of(), pauses, attempts=4, first_pause=1.0)
    assert [0.5 <= got / most <= 1 for got, most in zip(pauses.noted, (1, 2, 4), strict=True)] == [
        True
    ] * 3


@given(st.text())
def test_any_retry_after_is_a_number_of_seconds_or_none(value):
    seconds = retry_after(value)
    assert seconds is None or seconds >= 0


def test_retry_after_may_be_a_date():
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert retry_after("Thu, 01 Jan 2026 12:00:30 GMT", noon) == 30


async def test_a_schema_is_asked_for(request_of):
    async with Misbehaving(bad.saying()) as server:
        await ask(server, request_of(reply_schema=SCHEMA))
    assert server.asked[0].body["response_format"]["json_schema"]["schema"] == SCHEMA


async def test_a_refused_schema_is_left_out_and_not_asked_for_again(request_of):
    async with (
        Misbehaving(bad.refusing("400 Bad Request"), bad.saying()) as server,
        ServerChat(config_for(server)) as chat,
    ):
        await chat.reply(request_of(reply_schema=SCHEMA))
        await chat.reply(request_of(reply_schema=SCHEMA))
    assert ["response_format" in asked.body for asked in server.asked] == [True, False, False]


async def test_a_bad_request_is_not_blamed_on_its_schema(request_of):
    fault = bad.refusing("400 Bad Request", message="context too long")
    async with (
        Misbehaving(fault, fault, bad.saying()) as server,
        ServerChat(config_for(server)) as chat,
    ):
        with pytest.raises(WontWork, match="context too long"):
            await chat.reply(request_of(reply_schema=SCHEMA))
        await chat.reply(request_of(reply_schema=SCHEMA))
    assert ["response_format" in asked.body for asked in server.asked] == [True, False, True]


async def test_no_more_requests_at_a_time_than_configured(request_of):
    go = asyncio.Event()
    async with (
        Misbehaving(bad.waiting_for(go, bad.saying())) as server,
        ServerChat(config_for(server, concurrency=3)) as chat,
    ):
        calls = [asyncio.create_task(chat.reply(request_of())) for _ in range(9)]
        while server.running < 3:
            await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*calls)
    assert server.most_running == 3
    assert len(server.asked) == 9


async def test_a_server_that_keeps_failing_is_left_alone(request_of):
    async with (
        Misbehaving(bad.refusing("500 Oops")) as server,
        ServerChat(config_for(server, failures=3, attempts=1)) as chat,
    ):
        for _ in range(3):
            with pytest.raises(TryAgain):
                await chat.reply(request_of())
        with pytest.raises(CircuitOpen, match="left alone"):
            await chat.reply(request_of())
    assert len(server.asked) == 3


async def test_a_busy_server_does_not_count_as_down(request_of):
    async with (
        Misbehaving(bad.refusing("429 Too Many Requests")) as server,
        ServerChat(config_for(server, failures=2, attempts=5)) as chat,
    ):
        with pytest.raises(TryAgain, match="429"):
            await chat.reply(request_of())
    assert len(server.asked) == 5


async def test_a_cancelled_call_leaves_its_slot_to_the_next(request_of):
    async with (
        Misbehaving(bad.silence, bad.saying("next")) as server,
        ServerChat(config_for(server, concurrency=1)) as chat,
    ):
        given_up = asyncio.create_task(chat.reply(request_of()))
        while not server.asked:
            await asyncio.sleep(0)
        given_up.cancel()
        assert (await chat.reply(request_of())).text == "next"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:30000",
        "ftp://host",
        "http://",
        "http://me:secret@host",
        "http://host/?key=secret",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_quoted(url):
    with pytest.raises(ValidationError) as failed:
        ServerConfig(base_url=url, model="lmm")
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize("url", ["http://host:1", "http://host:1/", "http://host:1/v1/"])
def test_an_address_is_the_same_with_and_without_v1(url):
    assert ServerConfig(base_url=url, model="lmm").base_url == "http://host:1"


@pytest.mark.parametrize("key", ["", "sk canary", "sk-canary\n", "sk-cänary"])
def test_a_key_that_can_not_be_sent_is_refused_and_not_quoted(key):
    with pytest.raises(ValidationError, match="printable ASCII") as failed:
        ServerConfig(base_url="http://host", model="lmm", api_key=key)
    assert "canary" not in str(failed.value)


KEY_FAULTS = (
    bad.echoing_the_key, bad.saying_the_key, bad.hanging_up, bad.silence, bad.half_a_body,
    *PASSING.values(), *LASTING.values(), bad.redirecting("http://127.0.0.1:9"),
)  # fmt: skip


def traced(failure):
    """Traceback of a failure with the values of variables."""
    # Below the test's own frame, whose variables hold all that was traced before.
    below = failure.__traceback__.tb_next
    trace = traceback.TracebackException(type(failure), failure, below, capture_locals=True)
    while failure is not None:
        # An exception of the HTTP library's would hold the request, and that its headers.
        assert isinstance(failure, ToolFailure)
        failure = failure.__context__
    return list(trace.format())


async def test_the_key_reaches_the_server_and_nothing_that_is_written_or_raised(
    request_of, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    seen = []
    ledger, cache = MemoryLedger(), ReplyCache(tmp_path)
    for fault in KEY_FAULTS:
        async with Misbehaving(fault) as server:
            config = config_for(server, api_key=KEY, seconds=0.5, attempts=1)
            async with ServerChat(config) as chat:
                seen += [repr(config), config.model_dump_json(), repr(chat), chat.identity]
                metered = MeteredChat(chat, ledger, Budget(), cache=cache)
                try:
                    seen.append(repr(await metered.reply(request_of())))
                except ToolFailure as failure:
                    seen += traced(failure)
            assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    seen += [call.model_dump_json() for call in ledger.calls]
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert len(ledger.calls) == len(KEY_FAULTS)
    assert KEY not in json.dumps([*seen, *files, caplog.text])
