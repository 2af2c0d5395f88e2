"""A served model is asked within the budget, counted, kept word for word, and replayed."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from agent.plan import TASKS, Plan, Report
from agent.planner import ChatPlanner
from agent.planner.calls import tools
from agent.scripted import ScriptedModel
from agent.served import Books, ReplayedModel, ServedModel
from agent.transcript import NotRecorded, Recorded, asking
from prompts import load
from tests.tools.backends import misbehaving as bad
from tests.tools.backends.misbehaving import Misbehaving
from tools.backends.budget import Budget, Limits, OverBudget
from tools.backends.ledger import MemoryLedger, Tariff
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


def calling(*calls, text="", **more):
    told = [{"name": n, "args": a, "id": f"c{i}"} for i, (n, a) in enumerate(calls)]
    return AIMessage(text, tool_calls=told, **more)


def model_of(*replies, **books):
    return ServedModel(
        model=ScriptedModel(replies=replies), prompt=load("plan"), books=Books(**books)
    )


async def test_what_a_served_model_took_is_recorded():
    usage = UsageMetadata(input_tokens=700, output_tokens=20, total_tokens=720)
    ledger, budget = MemoryLedger(), Budget()
    reply = calling(("Report", {}), usage_metadata=usage)
    tariff = Tariff(per_million_in=1000.0)
    model = model_of(reply, ledger=ledger, budget=budget, tariff=tariff)
    await ChatPlanner(model).plan("status")
    (call,) = ledger.calls
    assert (call.role, call.tokens_in, call.tokens_out) == ("planner", 700, 20)
    assert call.money == pytest.approx(0.7)
    assert (budget.spent.calls, budget.spent.tokens) == (1, 720)


async def test_a_model_is_not_asked_beyond_the_budget():
    model = model_of(calling(("Report", {})), budget=Budget(Limits(calls=0)))
    with pytest.raises(OverBudget, match="0 calls"):
        await ChatPlanner(model).plan("status")
    assert model.model.asked == []


@pytest.fixture
def served():
    from langchain_openai import ChatOpenAI

    def model(url, **books):
        asked = ChatOpenAI(base_url=f"{url}/v1", model="m", api_key="a-key-of-mine", max_retries=0)
        return ServedModel(model=asked, prompt=load("plan"), books=Books(**books))

    return model


async def test_a_server_is_sent_the_tools_and_its_calls_are_read(served):
    call = {"id": "c", "type": "function", "function": {"name": "Report", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    reply = bad.saying(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])
    async with Misbehaving(reply) as server:
        ledger = MemoryLedger()
        planned = await ChatPlanner(served(server.url, ledger=ledger)).plan("how far are we?")
    assert planned == Plan(tasks=(Report(),))
    assert len(server.asked[0].body["tools"]) == len(TASKS)
    assert (ledger.calls[0].tokens_in, ledger.calls[0].tokens_cached) == (700, 600)


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (bad.refusing("503 Service Unavailable"), TryAgain),
        (bad.refusing("401 Unauthorized"), WontWork),
    ],
)
async def test_a_server_that_gives_nothing_is_a_failure_of_one_line(served, behaviour, failure):
    async with Misbehaving(behaviour) as server:
        with pytest.raises(failure, match="The planner's server") as caught:
            await ChatPlanner(served(server.url)).plan("status")
    assert "\n" not in caught.value.reason


class Kept:
    """Calls in a list."""

    def __init__(self):
        self.calls = []

    def record(self, call):
        self.calls.append(call)


async def test_what_a_served_model_is_asked_and_says_is_kept_word_for_word():
    usage = UsageMetadata(input_tokens=700, output_tokens=20, total_tokens=720)
    wrong = calling(("Dance", {"to": "this"}), text="Let me see.")
    right = calling(("Report", {}), usage_metadata=usage)
    kept = Kept()
    planner = ChatPlanner(model_of(wrong, right, calls=kept))
    with asking("r1", "run", 1):
        await planner.plan("how far are we?")
    first, second = kept.calls
    assert (first.run, first.unit, first.step, first.role) == ("r1", "run", 1, "planner")
    spoken = [(one.speaker, [part.text for part in one.parts]) for one in second.messages]
    call = '{"id": "c0", "tool": "Dance", "arguments": {"to": "this"}}'
    assert spoken[1:] == [
        ("user", ["how far are we?"]),
        ("assistant", ["Let me see.", call]),
        ("tool", ['{"answers": "c0"}', second.messages[3].parts[1].text]),
    ]
    assert "no tool 'Dance'" in second.messages[3].parts[1].text
    assert first.reply.text == f"Let me see.\n{call}"
    assert second.reply.text == '{"id": "c0", "tool": "Report", "arguments": {}}'
    assert (first.reply.tokens_in, second.reply.tokens_in) == (None, 700)
    assert first.settings["tools"] == tools()
    assert first.digest != second.digest


async def test_what_is_asked_for_no_run_is_not_kept():
    kept = Kept()
    await ChatPlanner(model_of(calling(("Report", {})), calls=kept)).plan("status")
    assert kept.calls == []


async def test_a_server_that_refuses_is_kept_as_a_failure_without_its_key(served):
    kept = Kept()
    async with Misbehaving(bad.refusing("400 Bad Request")) as server:
        with asking("r1", "run", 1), pytest.raises(WontWork):
            await ChatPlanner(served(server.url, calls=kept)).plan("status")
        url = server.url
    (call,) = kept.calls
    assert call.reply is None
    assert call.failure.kind == "WontWork"
    assert url in call.identity
    assert "a-key-of-mine" not in call.model_dump_json()


async def test_a_replay_says_the_same_with_the_same_calls():
    kept = Kept()
    first = calling(("top_images", {"feature": 3}), text='Two lines,\n{"and": "a brace"}')
    model = model_of(first, AIMessage("Nothing holds."), calls=kept)
    opening = [HumanMessage("what is it?")]
    with asking("r1", "0/3", 2):
        said = [await model.ainvoke(opening) for _ in range(2)]
    replay = ReplayedModel(recorded=Recorded(kept.calls), prompt=load("plan"), missed=[])
    with asking("r2", "0/3", 2):
        again = [await replay.ainvoke(opening) for _ in range(2)]
    assert [(one.content, one.tool_calls) for one in again] == [
        (one.content, one.tool_calls) for one in said
    ]
    with asking("r2", "0/3", 2), pytest.raises(NotRecorded):
        await replay.ainvoke(opening)
    assert len(replay.missed) == 1
