"""Cache, budget and ledger around a model: what is paid, what is recorded, what is refused."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backends.budget import Budget, Limits, OverBudget, Spending
from tools.backends.cache import ReplyCache
from tools.backends.chat import ChatReply
from tools.backends.ledger import MemoryLedger, Tariff
from tools.backends.metered import MeteredChat
from tools.failures import Failure, TryAgain, WontWork

TARIFF = Tariff(
    per_million_in=2.0,
    per_million_cached=1.0,
    per_million_out=10.0,
    per_picture=0.01,
    tokens_per_picture=100,
)
PRICE = (300 * 2 + 700 * 1 + 50 * 10) / 1e6 + 0.01


class Model:
    """Replies with a number that rises from call to call, or fails as told."""

    name, identity = "lmm", "lmm at home"

    def __init__(self, error=None, **counts):
        self.calls, self.error = 0, error
        self.counts = {"tokens_in": 1000, "tokens_out": 50, "tokens_cached": 700} | counts

    async def reply(self, _request):
        self.calls += 1
        if self.error:
            raise self.error
        return ChatReply(text=str(self.calls), model=self.name, seconds=2.0, **self.counts)


class Case:
    def __init__(self, model, limits=None, cache=None):
        self.model, self.ledger, self.budget = model, MemoryLedger(), Budget(limits)
        self.chat = MeteredChat(model, self.ledger, self.budget, tariff=TARIFF, cache=cache)

    def ask(self, request):
        return asyncio.run(self.chat.reply(request))


@pytest.fixture
def cache(tmp_path):
    return ReplyCache(tmp_path)


def test_a_call_is_recorded_with_what_it_took(request_of):
    case = Case(Model())
    case.ask(request_of(prompt_hash="hash"))
    (call,) = case.ledger.calls
    assert (call.role, call.model, call.prompt_hash, call.outcome) == (
        "explainer", "lmm", "hash", "replied",
    )  # fmt: skip
    assert (call.tokens_in, call.tokens_out, call.tokens_cached) == (1000, 50, 700)
    assert (call.pictures, call.seconds) == (1, 2.0)
    assert call.money == pytest.approx(PRICE)


def test_what_was_spent_is_what_was_recorded(request_of):
    case = Case(Model())
    case.ask(request_of())
    case.ask(request_of())
    calls = case.ledger.calls
    assert case.budget.spent == Spending(2, 2100, 4.0, sum(call.money for call in calls))


def test_what_a_model_does_not_count_costs_what_was_expected(request_of):
    case = Case(Model(tokens_in=None, tokens_out=None, tokens_cached=None))
    case.ask(request_of("x" * 20, max_tokens=30))
    (call,) = case.ledger.calls
    assert (call.tokens_in, call.tokens_out) == (10 + 100, 30)


def test_the_same_request_is_paid_once(request_of, cache):
    case = Case(Model(), cache=cache)
    replies = [case.ask(request_of()) for _ in range(2)]
    assert [reply.from_cache for reply in replies] == [False, True]
    assert case.model.calls == case.budget.spent.calls == 1
    assert [(call.outcome, call.money > 0) for call in case.ledger.calls] == [
        ("replied", True),
        ("cached", False),
    ]


def test_a_kept_reply_is_given_when_nothing_may_be_spent(request_of, cache):
    Case(Model(), cache=cache).ask(request_of())
    poor = Case(Model(), Limits(calls=0), cache)
    assert poor.ask(request_of()).text == "1"


@pytest.mark.parametrize(("seeds", "texts"), [((1, 1, 2), "112"), ((None, None, 1), "123")])
def test_a_drawn_reply_is_kept_by_its_seed_only(request_of, cache, seeds, texts):
    case = Case(Model(), cache=cache)
    said = [case.ask(request_of(temperature=1, seed=seed)).text for seed in seeds]
    assert "".join(said) == texts


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (TryAgain("busy"), "try_again", "busy"),
        (WontWork("no model"), "wont_work", "no model"),
        (asyncio.CancelledError(), "broken_off", "CancelledError"),
        (ValueError("quotes a secret"), "broken_off", "ValueError"),
    ],
)
def test_a_failed_call_is_recorded_costs_nothing_and_is_not_kept(
    request_of, cache, tmp_path, error, outcome, reason
):
    case = Case(Model(error), Limits(calls=1), cache)
    for _ in range(2):
        with pytest.raises(type(error)):
            case.ask(request_of())
    assert [(call.outcome, call.reason, call.money) for call in case.ledger.calls] == [
        (outcome, reason, 0)
    ] * 2
    assert case.budget.spent == Spending()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "amount"), [("calls", 0), ("tokens", 99), ("seconds", 0), ("money", 0.001)]
)
def test_a_call_past_a_limit_is_refused_by_the_limits_name(request_of, limit, amount):
    case = Case(Model(), Limits(**{limit: amount}))
    with pytest.raises(OverBudget, match=f"Raise the limit on {limit}") as refused:
        case.ask(request_of())
    assert refused.value.limit == limit
    assert case.model.calls == 0


def test_calls_at_the_same_time_do_not_pass_a_limit_together(request_of):
    case = Case(Model(), Limits(calls=3))

    async def all_at_once():
        calls = (case.chat.reply(request_of()) for _ in range(8))
        return await asyncio.gather(*calls, return_exceptions=True)

    replies = asyncio.run(all_at_once())
    assert sum(isinstance(reply, OverBudget) for reply in replies) == 5
    assert case.model.calls == 3


def test_a_call_waits_for_what_calls_that_are_running_may_give_back(request_of):
    """It used to fail, and scores were made of the others' replies alone."""

    class Slow(Model):
        async def reply(self, request):
            await asyncio.sleep(0)
            return await super().reply(request)

    case = Case(Slow(tokens_in=10, tokens_out=1, tokens_cached=0), Limits(tokens=1000))

    async def all_at_once():
        return await asyncio.gather(*(case.chat.reply(request_of()) for _ in range(8)))

    replies = asyncio.run(all_at_once())
    assert len(replies) == 8
    assert case.budget.spent[:2] == (8, 88)


def test_a_call_that_waits_for_room_may_be_given_up(request_of):
    case = Case(Model(), Limits(calls=1))

    async def given_up():
        with case.budget.reserved(Spending(1)), pytest.raises(TimeoutError):
            await asyncio.wait_for(case.chat.reply(request_of()), 0.01)
        return await case.chat.reply(request_of())

    assert asyncio.run(given_up()).text == "1"


def test_room_that_others_only_reserved_may_come_back():
    budget = Budget(Limits(tokens=100))
    with budget.reserved(Spending(1, 80)), pytest.raises(TryAgain, match="80 reserved"):
        budget.reserved(Spending(1, 30)).__enter__()
    with budget.reserved(Spending(1, 30)):
        pass


def test_what_a_resumed_run_spent_before_counts():
    budget = Budget(Limits(money=1.0), Spending(money=0.9))
    with pytest.raises(OverBudget, match=r"0\.9 spent"), budget.reserved(Spending(money=0.2)):
        pass


def test_a_budget_can_be_spent_to_its_last_cent():
    budget = Budget(Limits(money=0.3))
    for _ in range(3):
        with budget.reserved(Spending(money=0.1)) as held:
            held.settle(Spending(money=0.1))
    assert budget.spent.money == pytest.approx(0.3)


@given(
    limit=st.integers(0, 50),
    steps=st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.booleans()), max_size=20),
)
def test_no_order_of_calls_spends_more_than_the_limit(limit, steps):
    budget = Budget(Limits(tokens=limit))
    with ExitStack() as running:
        for tokens, settled, at_once in steps:
            with suppress(Failure):
                scope = running.enter_context(ExitStack())
                held = scope.enter_context(budget.reserved(Spending(1, tokens)))
                if settled:
                    held.settle(Spending(1, tokens))
                if at_once:
                    scope.close()
    assert budget.spent.tokens <= limit


def test_a_budget_is_safe_to_use_from_threads():
    budget = Budget(Limits(calls=500))

    def spend(_):
        with suppress(Failure), budget.reserved(Spending(1)) as held:
            held.settle(Spending(1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(spend, range(2000)))
    assert budget.spent.calls == 500
