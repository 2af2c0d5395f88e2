"""A run that leaves another one: what both share, what is its own, and what its openings cost."""

import os
from datetime import timedelta
from typing import NamedTuple

import pytest

from agent.behaviour.seal import sealed_key
from agent.desk import Desk, Rules
from agent.fork import ForkedChat, History, earlier, fork_at, same_features
from agent.plan import Label, Plan
from agent.provenance import feature_key
from agent.store import Store
from agent.transcript import TranscribedChat, asking
from sae_core.errors import UserError
from tests.agent.store.conftest import NOON, PROVENANCE, event_of, finding_of
from tests.tools.conftest import Scripted
from tools.backends.chat import ChatRequest, Message
from tools.failures import WontWork
from tools.lab import Lab, Makers

RULES = Rules(steer=False)


class Sealed(NamedTuple):
    """A split, or a set of questions, of which only the name matters."""

    digest: str


PLAN = Plan(tasks=(Label(features=(3, 5, 7)),))
BEFORE = [{"request": "and before?"}]


@pytest.fixture
def anyio_backend():
    return "asyncio"


def key_of(feature, **known):
    return feature_key(PROVENANCE.model_copy(update=known), feature, RULES)


def happened(store, unit, step, minute, *, run="r1", **fields):
    at = NOON + timedelta(minutes=minute)
    store.hear(event_of(unit=unit, step=step, run=run, at=at, **fields))


@pytest.fixture
def store(tmp_path):
    """Feature 3 was known, then 5 was found out, then 7."""
    with Store(tmp_path / "runs", patience=0.05) as made:
        made.begin("r0", "feature 3?", PROVENANCE, pid=os.getpid())
        made.put(finding_of(3, key=key_of(3), run="r0", at=NOON - timedelta(hours=1)))
        made.ended("r0", "done", "")
        made.begin("r1", "label 3, 5 and 7", PROVENANCE, pid=os.getpid())
        kept = {"before": BEFORE, "options": {}, "rules": RULES.model_dump()}
        happened(made, "run", 1, 0, kind="asked", result=kept)
        happened(made, "run", 1, 1, kind="plan", place=1)
        made.planned("r1", PLAN)
        happened(made, "0", 2, 2, kind="task")
        for feature, minute in ((5, 10), (7, 20)):
            for step in (1, 2, 3):
                happened(made, f"0/{feature}", step, minute + step, kind="tool")
            at = NOON + timedelta(minutes=minute + 4)
            made.put(finding_of(feature, key=key_of(feature), at=at))
        made.ended("r1", "done", "labelled")
        yield made


@pytest.mark.parametrize("named", ["0/7.2", "0/7.2.0", "r1/0/7.2.0"])
def test_an_event_is_named_by_its_step_or_in_full(store, named):
    left = fork_at(store, "r1", named)
    assert (left.event, left.unit, left.step) == ("r1/0/7.2.0", "0/7", 2)
    assert (left.question, left.before, left.plan) == ("label 3, 5 and 7", BEFORE, PLAN)


def test_what_happened_before_is_shared_and_what_came_later_is_not(store):
    left = fork_at(store, "r1", "0/5.2")
    shared = {
        (unit, step)
        for unit, step in (("run", 1), ("0", 2), ("0/5", 1), ("0/5", 2), ("0/5", 3), ("0/7", 1))
        if left.shares(unit, step)
    }
    assert shared == {("run", 1), ("0", 2), ("0/5", 1)}


def test_a_run_that_is_left_while_it_plans_is_planned_anew(store):
    assert fork_at(store, "r1", "run.1.1").plan is None


def test_a_run_without_a_plan_can_be_left_at_its_planning_alone(store):
    store.begin("r2", "hm?", PROVENANCE, pid=os.getpid())
    happened(store, "run", 1, 0, run="r2", kind="asked")
    happened(store, "run", 2, 1, run="r2", kind="answer")
    store.ended("r2", "done", "not understood")
    assert fork_at(store, "r2", "run.1").plan is None
    with pytest.raises(UserError, match=r"came to no plan.*runs fork r2 --at run\.1$"):
        fork_at(store, "r2", "run.2")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("0/7.9", "no event '0/7.9': its last is r1/0/7.3.0. Try lmmscope runs show r1"),
        ("nonsense", "no event 'nonsense'"),
        ("r0/0/3.1.0", "one of the run r0, not of r1. Try lmmscope runs fork r0 --at r0/0/3.1.0"),
    ],
)
def test_an_event_that_the_run_does_not_have_is_one_line(store, named, said):
    with pytest.raises(UserError) as failed:
        fork_at(store, "r1", named)
    assert said in str(failed.value)
    assert "\n" not in str(failed.value)


def request_of(text, role="judge"):
    return ChatRequest(role=role, messages=(Message("user", (text,)),))


class Old(Scripted):
    """The model that the first run asked."""

    name = identity = "old"


async def recorded(store):
    """What the first run asked for features 5 and 7, one thing in each step."""
    old = TranscribedChat(Old("5 in 1", "5 in 2", "7 in 1"), store, store.artefacts)
    for unit, step in (("0/5", 1), ("0/5", 2), ("0/7", 1)):
        with asking("r1", unit, step):
            await old.reply(request_of(f"{unit} {step}?"))


def forked(store, at, *replies):
    left, new = fork_at(store, "r1", at), Scripted(*replies)
    store.begin("r2", left.question, PROVENANCE, pid=os.getpid())
    own = TranscribedChat(new, store, store.artefacts)
    return ForkedChat(own, History(lambda unit: store.calls("r1", "judge", unit), store, left)), new


async def said(chat, unit, step, text=None):
    with asking("r2", unit, step):
        return (await chat.reply(request_of(text or f"{unit} {step}?"))).text


@pytest.mark.anyio
async def test_the_history_is_said_again_and_then_the_model_is_asked(store):
    await recorded(store)
    chat, new = forked(store, "0/7.2", "new", "newer")
    assert await said(chat, "0/5", 1) == "5 in 1"
    assert await said(chat, "0/7", 1) == "7 in 1"
    assert new.asked == []
    assert await said(chat, "0/7", 2) == "new"
    assert await said(chat, "0/7", 2, "0/7 1?") == "newer"  # recorded, but not for this step
    told = [(call.model, call.reply.text, call.cost.cached) for call in store.calls("r2")]
    assert told == [
        ("old", "5 in 1", 1),
        ("old", "7 in 1", 1),
        ("scripted", "new", 0),
        ("scripted", "newer", 0),
    ]
    assert all(call.reply.from_cache == (call.model == "old") for call in store.calls("r2"))


@pytest.mark.anyio
async def test_a_unit_that_had_only_begun_goes_on_with_the_model(store):
    await recorded(store)
    chat, _ = forked(store, "0/7.2", "from here on")
    assert await said(chat, "0/5", 3) == "from here on"


@pytest.mark.anyio
async def test_a_history_that_would_be_another_one_is_none(store):
    await recorded(store)
    chat, new = forked(store, "0/7.2", "never said")
    with pytest.raises(UserError, match=r"what 0/7 asks it now in step 1.*--at 0/7\.1$"):
        await said(chat, "0/7", 1, "something else?")
    assert new.asked == []


def test_what_stood_before_the_event_stands_and_nothing_else(store):
    left = fork_at(store, "r1", "0/7.2")
    stood = earlier(store, left.run, left.at, left.unit)
    assert stood("0/3", 3).run == "r0"
    assert stood("0/5", 5).run == "r1"
    assert stood("0/7", 7) is None
    sooner = fork_at(store, "r1", "0/5.2")
    assert earlier(store, "r1", sooner.at, sooner.unit)("0/5", 5) is None


def test_by_other_rules_the_same_stood(store):
    """The first run's rules say what it was asked, whatever the fork's are."""
    left = fork_at(store, "r1", "0/7.3")
    other = feature_key(PROVENANCE.model_copy(update={"fork": left.event}), 5, Rules())
    assert store.done(other) is None
    assert earlier(store, left.run, left.at, left.unit)("0/5", 5) is not None


def test_a_fork_of_a_fork_has_both_histories(store):
    known = PROVENANCE.model_copy(update={"fork": "r1/0/7.2.0"})
    store.begin("r2", "label 3, 5 and 7", known, pid=os.getpid())
    happened(store, "run", 1, 60, run="r2", kind="asked", result={"rules": RULES.model_dump()})
    store.planned("r2", PLAN)
    own = key_of(7, fork="r1/0/7.2.0")
    store.put(finding_of(7, key=own, run="r2", at=NOON + timedelta(minutes=65)))
    happened(store, "0", 2, 70, run="r2", kind="verdict")
    left = fork_at(store, "r2", "0.2")
    stood = earlier(store, left.run, left.at, left.unit)
    assert [stood(f"0/{number}", number).run for number in (3, 5, 7)] == ["r0", "r1", "r2"]


@pytest.fixture
def lab(tmp_path):
    """Without any part: all that is opened are names."""
    parts = dict.fromkeys(("observer", "index", "explainer", "judge", "grounder", "clip"))
    pictures, questions = {"test": Sealed("pictures")}, {"validate": Sealed("questions")}
    return Lab(Makers(**parts), pictures, tmp_path / "runs", questions=questions)


def test_another_opening_is_one_more_try(store, lab):
    """Whatever a fork finds out, it is not looked at for nothing."""
    event = fork_at(store, "r1", "0/7.2").event
    subject = f"feature 7 of {PROVENANCE.coder}"

    def opened(run, claim, fork=""):
        known = PROVENANCE.model_copy(update={"fork": fork})
        if run != "r1":
            store.begin(run, "?", known, pid=os.getpid())
        desk = Desk(lab, run, provenance=known, keeper=store).at("0/7", 4, "verify")
        return desk.opened(feature_key(known, 7, RULES), claim, "test", subject).tries

    assert opened("r1", "red cars") == 1
    assert opened("r2", "red cars", event) == 2  # of the same claim too
    assert opened("r3", "red cars", event) == 2  # the same fork of the same claim once more
    with pytest.raises(WontWork, match="for another claim"):
        opened("r4", "blue cars", event)
    assert opened("r5", "blue cars", "r1/0/7.3.0") == 3
    assert opened("r1", "red cars") == 3


def test_sealed_questions_stay_closed_to_a_fork(store, lab):
    """No p is multiplied there, so a second recipe would be a second try for nothing."""
    forked = PROVENANCE.model_copy(update={"fork": "r1/0/fix.3.0"})
    first, second = (
        sealed_key(Desk(lab, "r1", provenance=known, keeper=store), (0, 4, 8))
        for known in (PROVENANCE, forked)
    )
    assert store.open(first, "one recipe", "q")
    assert not store.open(second, "another recipe", "q")


def test_a_replay_counts_the_tries_that_there_were(store, tmp_path):
    store.open("k1", "red cars", "test pictures", "feature 7")
    store.begin("r2", "?", PROVENANCE, pid=os.getpid())
    began = store.run("r2").began
    store.open("k2", "red cars", "test pictures", "feature 7")
    with Store(tmp_path / "replay") as own:
        own.take_seals(store, began)
        assert own.tries("test pictures", "feature 7") == 1
        assert own.open("k2", "red cars", "test pictures", "feature 7")
        assert own.tries("test pictures", "feature 7") == 2


def test_a_run_is_not_left_for_other_features(store):
    left = fork_at(store, "r1", "0/7.2")
    other = PROVENANCE.model_copy(update={"coder": "another"})
    with pytest.raises(UserError, match=r"another coder: it had coder, and now there is another"):
        same_features(left, PROVENANCE, other)
    same_features(left, PROVENANCE, PROVENANCE.model_copy(update={"models": {"judge": "new"}}))
