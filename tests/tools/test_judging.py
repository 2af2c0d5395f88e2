"""Judging: blind, picture by picture; what fails is counted and never a verdict."""

import numpy as np
import pytest

from prompts import load
from tests.tools.conftest import Scripted
from tests.tools.nasty import LABELS
from tools.backends.budget import OverBudget
from tools.failures import TryAgain
from tools.judging import judged
from tools.masking import masked

pytestmark = pytest.mark.anyio


def pixels(picture):
    return np.asarray(picture.convert("RGB")).tobytes()


@pytest.fixture
def case(lab, evidence_of, feature_of):
    """A feature's evidence and the pictures on which it fires."""
    _, evidence = evidence_of(lab, feature_of(), negatives=2)
    return evidence, evidence.of("top_by_mean", "quantile", "random")


async def test_each_picture_gets_its_own_verdict(make_lab, case):
    evidence, sightings = case
    bright = {one.picture for one in sightings[::2]}

    def by_picture(request):
        (shown,) = request.pictures
        own = {pixels(masked(lab, evidence, one)): one.picture for one in sightings}
        return str(int(own[pixels(shown)] in bright))

    lab = make_lab(judge=Scripted(*[by_picture] * len(sightings)))
    found = await judged(lab, "a wheel", evidence, sightings)
    assert found.verdicts == {one.picture: int(one.picture in bright) for one in sightings}
    assert list(found.verdicts) == [one.picture for one in sightings]
    assert (found.failed, found.prompt_hash) == (0, load("judge").content_hash)


async def test_the_judge_sees_one_bare_picture_and_the_label_alone(make_lab, case):
    evidence, sightings = case
    chat = Scripted(*["1"] * len(sightings))
    await judged(make_lab(judge=chat), "a wheel", evidence, sightings)
    for request in chat.asked:
        (turn,) = request.messages
        assert turn.text == load("judge").render(explanation="a wheel")
        assert [picture.info for picture in turn.pictures] == [{}]


async def test_the_order_of_asking_is_of_chance_and_the_same_for_a_seed(make_lab, case):
    evidence, sightings = case
    orders = []
    for seed in (1, 1, 2):
        chat = Scripted(*["1"] * len(sightings))
        await judged(make_lab(judge=chat, seed=seed), "a wheel", evidence, sightings)
        orders.append([pixels(request.pictures[0]) for request in chat.asked])
    given = [pixels(masked(make_lab(), evidence, one)) for one in sightings]
    assert orders[0] == orders[1] != orders[2]
    assert given not in orders
    assert sorted(orders[0]) == sorted(given)


async def test_failures_are_left_out_and_counted(make_lab, case):
    evidence, sightings = case
    sightings = sightings[:4]
    chat = Scripted("1", TryAgain("busy"), "maybe", "0", *["maybe"] * 3)
    found = await judged(make_lab(judge=chat), "a wheel", evidence, sightings)
    assert (len(found.verdicts), found.failed) == (2, 2)
    assert set(found.verdicts.values()) == {0, 1}


@pytest.mark.parametrize(
    ("replies", "raised"),
    [
        ([TryAgain("busy"), TryAgain("busy")], TryAgain),
        (["1", OverBudget("calls", "spent")], OverBudget),
    ],
)
async def test_without_any_answer_or_money_there_are_no_verdicts(make_lab, case, replies, raised):
    evidence, sightings = case
    with pytest.raises(raised):
        await judged(make_lab(judge=Scripted(*replies)), "a wheel", evidence, sightings[:2])


async def test_nothing_to_judge_needs_no_judge(make_lab, case):
    found = await judged(make_lab(judge=Scripted()), "a wheel", case[0], ())
    assert (found.verdicts, found.failed) == ({}, 0)


async def test_a_label_with_instructions_gets_no_verdict_of_its_own(make_lab, case):
    """A judge that repeats the label says nothing about it, and one that says 0 is heard."""
    evidence, sightings = case
    for nasty in LABELS:
        chat = Scripted("0", *[nasty] * 3)
        found = await judged(make_lab(judge=chat), nasty, evidence, sightings[:2])
        assert (list(found.verdicts.values()), found.failed) == ([0], 1)


async def test_of_alternatives_one_yes_will_do_and_conditions_are_not_asked_about(make_lab, case):
    evidence, sightings = case
    said = {"wheel": ["0", "1"], "door": ["0", "0"]}
    asked = []

    def answer(request):
        asked.append(request.messages[-1].text)
        return said["wheel" if "wheel" in asked[-1] else "door"].pop(0)

    lab = make_lab(judge=Scripted(*[answer] * 4))
    found = await judged(lab, "wheel or door without a beach", evidence, sightings[:2])
    assert sorted(found.verdicts.values()) == [0, 1]
    assert not any("beach" in text or " or " in text.splitlines()[-1] for text in asked)


async def test_a_missing_answer_about_an_alternative_is_no_no(make_lab, case):
    evidence, sightings = case
    replies = ["0", TryAgain("busy"), "1", TryAgain("busy")]
    lab = make_lab(judge=Scripted(*replies))
    found = await judged(lab, "wheel or door", evidence, sightings[:2])
    assert (list(found.verdicts.values()), found.failed) == ([1], 1)
