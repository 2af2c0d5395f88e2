"""Several addresses of one server: who is asked, and what happens when one of them goes down."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import ValidationError

from tests.tools.backends import misbehaving as bad
from tests.tools.backends.misbehaving import Misbehaving
from tools.backends.breaker import CircuitOpen
from tools.backends.budget import Budget
from tools.backends.cache import ReplyCache
from tools.backends.config import ServerConfig
from tools.backends.ledger import MemoryLedger
from tools.backends.metered import MeteredChat
from tools.backends.server import ServerChat
from tools.failures import TryAgain

pytestmark = pytest.mark.anyio
DOWN = bad.refusing("500 Oops")


def config_of(*servers, **rest):
    usual = {"first_pause": 0.0, "seconds": 20.0, "attempts": 4}
    return ServerConfig(base_url=[one.url for one in servers], model="lmm", **(usual | rest))


@asynccontextmanager
async def serving(*behaviours, **rest):
    """A server for each behaviour, and a chat that has all of them for replicas."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Misbehaving(one)) for one in behaviours]
        yield servers, await stack.enter_async_context(ServerChat(config_of(*servers, **rest)))


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_requests_go_where_the_fewest_run(request_of):
    go = asyncio.Event()
    slow = bad.waiting_for(go, bad.saying("slow"))
    async with serving(slow, bad.saying("quick"), concurrency=2) as (servers, chat):
        calls = [asyncio.create_task(chat.reply(request_of())) for _ in range(12)]
        await until(lambda: sum(call.done() for call in calls) == 10)
        assert [len(server.asked) for server in servers] == [2, 10]
        go.set()
        texts = [reply.text for reply in await asyncio.gather(*calls)]
    assert sorted(texts) == ["quick"] * 10 + ["slow"] * 2


async def test_each_replica_has_slots_of_its_own(request_of):
    go = asyncio.Event()
    slow = bad.waiting_for(go, bad.saying())
    async with serving(slow, slow, slow, concurrency=2) as (servers, chat):
        calls = [asyncio.create_task(chat.reply(request_of())) for _ in range(9)]
        await until(lambda: sum(server.running for server in servers) == 6)
        go.set()
        await asyncio.gather(*calls)
    assert [server.most_running for server in servers] == [2, 2, 2]


async def test_idle_replicas_are_asked_by_turns(request_of):
    async with serving(bad.saying(), bad.saying(), bad.saying()) as (servers, chat):
        for _ in range(6):
            await chat.reply(request_of())
    assert [len(server.asked) for server in servers] == [2, 2, 2]


async def test_a_failing_replica_costs_no_call_and_is_soon_left_out(request_of):
    async with serving(DOWN, bad.saying("here"), failures=2, attempts=2) as (servers, chat):
        for _ in range(10):
            assert (await chat.reply(request_of())).text == "here"
    assert [len(server.asked) for server in servers] == [2, 10]


async def test_a_request_in_flight_on_a_killed_replica_is_answered_by_another(request_of):
    async with Misbehaving(bad.silence) as killed, Misbehaving(bad.saying("alive")) as other:
        config = config_of(killed, other, failures=2)
        async with ServerChat(config) as chat:
            calls = [asyncio.create_task(chat.reply(request_of())) for _ in range(6)]
            await until(lambda: killed.running == 3)
            await killed.__aexit__()
            replies = await asyncio.gather(*calls)
            await chat.reply(request_of())
    assert [reply.text for reply in replies] == ["alive"] * 6
    assert [len(server.asked) for server in (killed, other)] == [3, 7]


async def test_a_replica_that_comes_back_gets_requests_again(request_of):
    async with (
        Misbehaving(DOWN, bad.saying("back")) as one,
        Misbehaving(bad.saying()) as other,
        ServerChat(config_of(one, other, failures=1, rest=0.05)) as chat,
    ):
        await chat.reply(request_of())
        assert not chat._is_up(0)
        await until(lambda: chat._is_up(0))
        texts = [(await chat.reply(request_of())).text for _ in range(4)]
    assert texts.count("back") == 2


async def test_only_one_request_tries_a_replica_that_was_down(request_of):
    go = asyncio.Event()
    trial = bad.waiting_for(go, DOWN)
    async with (
        Misbehaving(DOWN, trial) as one,
        Misbehaving(bad.saying("up")) as other,
        ServerChat(config_of(one, other, failures=1, rest=0.02)) as chat,
    ):
        await chat.reply(request_of())
        await until(lambda: chat._is_up(0))
        calls = [asyncio.create_task(chat.reply(request_of())) for _ in range(8)]
        await until(lambda: sum(call.done() for call in calls) == 7)
        assert len(one.asked) == 2
        go.set()
        assert {reply.text for reply in await asyncio.gather(*calls)} == {"up"}


async def test_when_all_fail_all_are_named(request_of):
    async with serving(DOWN, DOWN, attempts=3, failures=3) as (servers, chat):
        both = ", ".join(server.url for server in servers)
        with pytest.raises(TryAgain, match=rf"None of {both} replies: .* 500 .*\(attempt 3\)"):
            await chat.reply(request_of())
        with pytest.raises(TryAgain, match=rf"None of {both} replies"):
            await chat.reply(request_of())
        with pytest.raises(CircuitOpen, match=rf"None of {both} replies: .* left alone for"):
            await chat.reply(request_of())
    assert sum(len(server.asked) for server in servers) == 6


async def test_no_replica_waits_as_long_as_another_one_asked_for(request_of):
    busy = bad.refusing("429 Too Many Requests", "Retry-After: 3600")
    async with serving(busy, bad.saying("free")) as (_, chat):
        assert (await chat.reply(request_of())).text == "free"


async def test_an_answer_is_kept_and_counted_whoever_gave_it(request_of, tmp_path):
    ledger = MemoryLedger()
    async with serving(bad.saying("a"), bad.saying("b")) as (servers, chat):
        metered = MeteredChat(chat, ledger, Budget(), cache=ReplyCache(tmp_path))
        first = await metered.reply(request_of())
        again = await metered.reply(request_of())
        alone = ServerChat(config_of(servers[0]))
        assert alone.identity == chat.identity
        await alone.__aexit__()
    assert first.text == again.text
    assert [call.outcome for call in ledger.calls] == ["replied", "cached"]
    assert {call.model for call in ledger.calls} == {"lmm"}


async def test_a_key_goes_to_every_replica(request_of):
    async with serving(bad.saying(), bad.saying(), api_key="sk-canary-0123") as (servers, chat):
        for _ in range(2):
            await chat.reply(request_of())
    assert [s.asked[0].headers["authorization"] for s in servers] == ["Bearer sk-canary-0123"] * 2


@pytest.mark.parametrize("given", [["http://a/v1/", "http://b"], "http://a, http://b"])
def test_several_addresses_are_replicas(given):
    config = ServerConfig(base_url=given)
    assert config.addresses == ("http://a", "http://b")
    assert ServerConfig.model_validate(config.model_dump()) == config


@pytest.mark.parametrize("given", [[], ["http://a", "b"], "http://a,", ["http://a", "http://a/v1"]])
def test_addresses_that_are_none_or_the_same_are_refused(given):
    with pytest.raises(ValidationError):
        ServerConfig(base_url=given)
