"""What is done elsewhere never spends more than there is, and as much of it as it can."""

import asyncio

import pytest

from agent.shares import Shares
from tools.backends.budget import Budget, Limits, OverBudget, Spending

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def errand(shares, needs, *, whole=False):
    """Spends what it needs, or all of its share; whether that sufficed."""
    async with shares.one(whole=whole) as share:
        await asyncio.sleep(0)
        spent = needs if share.left.calls is None else min(needs, share.left.calls)
        share.held.settle(Spending(calls=spent))
    if spent == needs:
        return True
    return not share.whole and await errand(shares, needs - spent, whole=True)


async def of_all(budget, size, needs):
    """What became of errands that need so many calls, so many out at a time."""
    shares, gate = Shares(budget, size), asyncio.Semaphore(size)

    async def one(calls):
        async with gate:
            try:
                return await errand(shares, calls)
            except OverBudget:
                return False

    async with asyncio.timeout(10):
        return await asyncio.gather(*map(one, needs))


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("limit", [0, 1, 5, 29, 30])
async def test_all_together_never_spend_more_than_there_is(size, limit):
    budget = Budget(Limits(calls=limit))
    done = await of_all(budget, size, [3] * 10)
    assert budget.spent.calls == limit  # nor less, where more is needed
    assert all(done) == (limit == 30)


async def test_a_small_share_of_a_large_rest_is_no_reason_to_give_up():
    """Three errands and eight places: the shares of five that nobody takes are not lost."""
    budget = Budget(Limits(calls=90))
    assert await of_all(budget, 8, [30, 30, 30]) == [True] * 3
    assert budget.spent.calls == 90


async def test_without_a_limit_nobody_waits():
    out = 0

    async def one(shares):
        nonlocal out
        async with shares.one() as share:
            assert share.left == Limits()
            out += 1
            while out < 4:
                await asyncio.sleep(0)

    shares = Shares(Budget(), 4)
    async with asyncio.timeout(10):
        await asyncio.gather(*(one(shares) for _ in range(4)))


async def test_shares_are_equal_and_come_back_unspent():
    budget = Budget(Limits(calls=10, money=1.0))
    shares = Shares(budget, 2)
    async with shares.one() as first, shares.one() as second:
        assert (first.left.calls, second.left.calls) == (5, 5)
        assert first.left.money == pytest.approx(second.left.money)
        first.held.settle(Spending(calls=1))
    assert budget.spent.calls == 1
    assert budget.share(1).calls == 9


async def test_whoever_is_broken_off_while_waiting_keeps_nobody_from_going():
    shares = Shares(Budget(Limits(calls=10)), 3)
    async with shares.one():
        waiting = asyncio.create_task(errand(shares, 1, whole=True))
        await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(10):
            assert await errand(shares, 1)
