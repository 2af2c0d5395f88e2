"""The requests that planners are measured with, and the rules by which plans are compared."""

import re
from collections import Counter
from typing import get_args

import pytest

from agent.plan import TASKS, NotUnderstood, Plan
from benchmarks.planner import Half, agree, cases, measured, missed, normal, summary

BARELY = NotUnderstood(why="What?", instead=("one", "two", "three"))
HALVES = get_args(Half)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def halves():
    return {half: cases(half) for half in HALVES}


def mix(half):
    """How often which tasks are asked for, single or several, alone or in a conversation."""
    return Counter(
        (bool(case.before), tuple(task.task for task in case.plan.tasks) if case.plan else ())
        for case in half
    )


def shape(request):
    """A request's words, with numbers for numbers."""
    return set(re.findall(r"\w+", re.sub(r"\d+", " 0 ", request.casefold())))


def alike(one, other):
    """The share of words in both among those in either."""
    return len(one & other) / len(one | other)


@pytest.mark.parametrize("half", HALVES)
def test_each_half_has_100_requests_of_all_kinds(halves, half):
    asked = halves[half]
    assert len(asked) == len({case.request for case in asked}) == 100
    tasks = Counter(task.task for case in asked if case.plan for task in case.plan.tasks)
    assert set(tasks) == {kind.model_fields["task"].default for kind in TASKS}
    assert sum(case.plan is None for case in asked) == 10
    assert sum(bool(case.before) for case in asked) >= 10
    assert sum(len(case.plan.tasks) > 1 for case in asked if case.plan) == 6


def test_both_halves_have_the_same_mix_of_single_requests(halves):
    one, other = (mix(halves[half]) for half in HALVES)
    single = {kind for kind in one | other if not kind[0] and len(kind[1]) == 1}
    assert {kind: one[kind] for kind in single} == {kind: other[kind] for kind in single}


def test_no_request_rewords_one_of_the_other_half(halves):
    tuning, held_out = (halves[half] for half in HALVES)
    shapes = {one.request: shape(one.request) for one in tuning + held_out}
    pairs = [(one.request, other.request) for one in tuning for other in held_out]
    assert not [pair for pair in pairs if alike(*(shapes[one] for one in pair)) > 0.7]


@pytest.mark.parametrize("half", HALVES)
def test_right_plans_name_only_numbers_that_were_said(halves, half):
    """A slip of whoever wrote the plans: a number that is in neither request nor conversation."""
    for case in halves[half]:
        said = f"{case.request} {[(one.request, one.features) for one in case.before]}"
        numbers = {int(number) for number in re.findall(r"\d+", said)}
        for task in case.plan.tasks if case.plan else ():
            document = task.model_dump(include={"one", "other", "picture", "feature", "k"})
            named = {int(number) for number in re.findall(r"\b\d+\b", str(document))}
            assert named <= numbers, case.request


def plan(*tasks):
    return Plan.model_validate({"tasks": tasks})


def task(**fields):
    return plan(fields).tasks[0]


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"task": "compare", "one": 3, "other": 7}, {"task": "compare", "one": 7, "other": 3}),
        ({"task": "find", "words": "the word stop"}, {"task": "find", "words": "Stop"}),
        ({"task": "find", "words": "striped things"}, {"task": "find", "words": "striped thing"}),
        ({"task": "find", "words": "kites"}, {"task": "find", "words": "kites", "count": 5}),
        (
            {"task": "fix", "behaviour": "sees a cactus", "thing": "cactus", "place": "city"},
            {"task": "fix", "behaviour": "cacti!", "thing": "cacti", "place": "the cities"},
        ),
        (
            {"task": "why", "picture": {"number": 7}, "question": "is there a cup?"},
            {
                "task": "why",
                "picture": {"number": 7, "split": "explore"},
                "question": "Is there a cup in this picture",
                "answer": "yes",
            },
        ),
    ],
)
def test_plans_agree_where_only_the_wording_differs(wanted, got):
    assert agree(task(**wanted), task(**got))


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"task": "compare", "one": 3, "other": 7}, {"task": "compare", "one": 3, "other": 8}),
        ({"task": "find", "words": "kites", "count": 5}, {"task": "find", "words": "kites"}),
        ({"task": "find", "words": "kites"}, {"task": "find", "words": "red kites"}),
        ({"task": "find", "picture": {"number": 3}}, {"task": "find", "words": "picture 3"}),
        (
            {"task": "find", "picture": {"number": 3, "split": "test"}},
            {"task": "find", "picture": {"number": 3}},
        ),
        ({"task": "investigate", "features": [3, 4]}, {"task": "investigate", "features": [3]}),
        (
            {"task": "fix", "behaviour": "cups", "thing": "cup"},
            {"task": "fix", "behaviour": "cups", "thing": "cup", "place": "kitchen"},
        ),
        (
            {"task": "why", "picture": {"number": 7}, "question": "is it red?", "answer": "no"},
            {"task": "why", "picture": {"number": 7}, "question": "is it red?", "answer": "yes"},
        ),
        ({"task": "train sae", "k": 32}, {"task": "train sae", "k": 32, "hook": "layers.3"}),
    ],
)
def test_plans_differ_where_something_else_would_be_done(wanted, got):
    assert not agree(task(**wanted), task(**got))


def test_a_finding_is_the_same_one_by_its_feature_or_its_id(halves):
    [before] = next(
        case.before for case in halves["tuning"] + halves["held_out"] if case.request == "and 119?"
    )
    by_feature = task(task="explain finding", feature=before.features[0])
    by_id = task(task="explain finding", finding=before.findings[0][:6])
    latest = task(task="explain finding")
    assert agree(by_feature, by_id, [before])
    assert agree(by_feature, latest, [before])
    assert not agree(by_feature, latest)
    assert not agree(by_feature, task(task="explain finding", feature=5), [before])


def test_normal_words():
    assert normal("  The COLOUR\u201d of a car? ") == "color of car"
    assert normal("the word") == "word"
    assert normal("is there a glass in image 12?") == "is there glass"


@pytest.mark.anyio
@pytest.mark.parametrize("half", HALVES)
async def test_a_planner_that_knows_the_answers_gets_everything_right(halves, half):
    async def ask(case):
        return case.plan or BARELY

    outcomes = await measured(ask, halves[half])
    found = {name: (value.value, value.n) for name, value in summary(outcomes).items()}
    assert found == {
        "intents": (1.0, 90),
        "arguments": (1.0, 90),
        "rightly not understood": (1.0, 10),
        "wrongly not understood": (0.0, 90),
    }
    assert missed(outcomes) == []


@pytest.mark.anyio
async def test_planners_that_never_look_at_the_request_get_little(halves):
    async def shrug(_):
        return BARELY

    async def always(_):
        return plan({"task": "investigate", "features": [0]})

    shrugged = await measured(shrug, halves["tuning"])
    found = summary(shrugged)
    assert [value.value for value in found.values()] == [0, 0, 1, 1]
    assert len(missed(shrugged)) == 90
    found = summary(await measured(always, halves["tuning"]))
    assert 0 < found["intents"].value < 0.25
    assert found["arguments"].value <= 0.02
    assert found["rightly not understood"].value == 0


@pytest.mark.anyio
async def test_a_task_too_many_is_a_miss_that_is_told(halves):
    asked = next(case for case in halves["tuning"] if case.plan and len(case.plan.tasks) == 1)

    async def twice(case):
        return Plan(tasks=case.plan.tasks * 2)

    [miss] = missed(await measured(twice, [asked]))
    assert miss["request"] == asked.request
    assert len(miss["expected"]) == 1
    assert miss["planned"] == miss["expected"] * 2
