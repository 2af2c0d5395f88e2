"""What models cost is counted for whoever asks them, wherever the asking is done."""

import asyncio
import threading

import pytest

from agent.findings import Cost
from agent.meter import MeteringLedger, metered
from tools.backends.ledger import CallRecord, MemoryLedger


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def kept():
    return MemoryLedger()


@pytest.fixture
def ledger(kept):
    return MeteringLedger(kept)


def call(outcome="replied", tokens_in=0, tokens_out=0, money=0.0):
    return CallRecord(
        role="judge",
        model="m",
        prompt_hash="",
        pictures=0,
        outcome=outcome,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        money=money,
    )


def spent(meter):
    """All that does not depend on the clock."""
    return meter.cost.model_copy(update={"seconds": 0.0})


def test_calls_tokens_and_money_are_summed_up(ledger):
    with metered() as meter:
        ledger.add(call(tokens_in=10, tokens_out=2, money=0.25))
        ledger.add(call(tokens_in=5, tokens_out=1, money=0.5))
    assert spent(meter) == Cost(calls=2, tokens=18, money=0.75)


def test_cached_replies_are_counted_apart(ledger):
    with metered() as meter:
        ledger.add(call("cached"))
    assert spent(meter) == Cost(cached=1)


@pytest.mark.parametrize("outcome", ["try_again", "wont_work", "broken_off"])
def test_a_call_that_was_not_answered_is_none(ledger, outcome):
    """As in the budget, which gets its reservation back; else a busy server would use it up."""
    with metered() as meter:
        ledger.add(call(outcome))
    assert spent(meter) == Cost()


def test_every_record_is_kept_metered_or_not(ledger, kept):
    records = [call(), call("cached"), call("try_again")]
    ledger.add(records[0])
    with metered():
        for record in records[1:]:
            ledger.add(record)
    assert kept.calls == records


def test_what_is_spent_inside_counts_around_it_too_and_after_it_no_more(ledger):
    with metered() as outer:
        ledger.add(call(tokens_in=1))
        with metered() as inner:
            ledger.add(call(tokens_in=10))
        ledger.add(call(tokens_in=100))
    ledger.add(call(tokens_in=1000))
    assert spent(inner) == Cost(calls=1, tokens=10)
    assert spent(outer) == Cost(calls=3, tokens=111)


def test_counting_ends_with_an_exception_too(ledger):
    with pytest.raises(ZeroDivisionError), metered() as meter:
        raise ZeroDivisionError
    ledger.add(call())
    assert spent(meter) == Cost()


@pytest.mark.anyio
async def test_tasks_at_once_are_counted_apart(ledger):
    both = asyncio.Barrier(2)

    async def work(tokens):
        with metered() as meter:
            await both.wait()
            ledger.add(call(tokens_in=tokens))
            await both.wait()
        return spent(meter).tokens

    assert await asyncio.gather(work(1), work(10)) == [1, 10]


@pytest.mark.anyio
async def test_threads_count_for_whoever_started_them(ledger):
    with metered() as meter:
        await asyncio.to_thread(ledger.add, call(tokens_in=7))
    assert spent(meter) == Cost(calls=1, tokens=7)


def test_a_thread_of_somebody_elses_counts_for_nobody(ledger):
    with metered() as meter:
        stranger = threading.Thread(target=ledger.add, args=[call()])
        stranger.start()
        stranger.join()
    assert spent(meter) == Cost()


def test_the_clock_runs_while_it_counts(ledger):
    with metered() as meter:
        first = meter.cost.seconds
        ledger.add(call())
        assert 0 <= first < meter.cost.seconds


def test_costs_add_up_field_by_field():
    one = Cost(calls=1, cached=2, tokens=3, seconds=0.5, money=0.25)
    assert one.plus(one) == Cost(calls=2, cached=4, tokens=6, seconds=1.0, money=0.5)
