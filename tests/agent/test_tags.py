"""A feature is filed under its label's class and under everything that is the matter with it."""

import pytest

from agent.desk import Desk
from agent.findings import Check, Hypothesis, Provenance, SteeringOutcome, Verification
from agent.tags import failings, filed
from tests.tools.conftest import Scripted
from tools.evidence import Evidence
from tools.failures import TryAgain
from tools.lab import Lab, Makers

pytestmark = pytest.mark.anyio
GUESSED = (Hypothesis(claim="cat", origin="seen together"),)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def desk_of(tmp_path):
    def none():
        pytest.fail("only the explainer is asked")

    def make(*replies):
        explainer = Scripted(*replies)
        makers = Makers(none, none, lambda: explainer, none, none, none)
        return Desk(
            Lab(makers, {}, tmp_path),
            "run",
            provenance=Provenance(model="m", hook="h", coder="c"),
        )

    return make


def evidence(fires_on=9):
    return Evidence(
        feature=0, coder="c", model="m", hook="h", split="explore", pictures="p", grid=(1, 1),
        fires_on=fires_on, size=10, short=False, mean=1, peak=1, level=1, sightings=(),
    )  # fmt: skip


def verification(**passed):
    checks = tuple(
        Check(name=name.replace("_", " "), passed=good, value=1, low=1, bar=0)
        for name, good in passed.items()
    )
    return Verification(
        claim="a", pictures="b", evidence="0" * 64, sheet="1" * 64, checks=checks, scores={},
        passed=all(passed.values()), one_shot=None,
    )  # fmt: skip


async def test_a_good_label_has_a_class_and_no_tags(desk_of):
    found = await filed(
        desk_of("object"), evidence(), "cat", GUESSED, verification(reaches=True, near_misses=True)
    )
    assert found == ("object", ())


async def test_alternatives_of_different_classes_are_polysemantic(desk_of):
    assert (await filed(desk_of("object", "color"), evidence(), "cat or red", GUESSED)).tags == (
        "polysemantic",
    )
    assert not (await filed(desk_of("object", "object"), evidence(), "cat or dog", GUESSED)).tags


async def test_a_model_that_does_not_answer_leaves_the_class_open(desk_of):
    assert await filed(desk_of(TryAgain("busy")), evidence(), "cat", GUESSED) == (None, ())


async def test_dead_unreadable_and_output_only_features_need_no_label(desk_of):
    assert (await filed(desk_of(), evidence(0), None)).tags == ("dead",)
    steering = SteeringOutcome(role="output", why="it moves the model")
    found = await filed(desk_of(), evidence(), None, steering=steering)
    assert found.tags == ("unreadable", "output-only")


@pytest.mark.parametrize(
    ("tells", "reaches", "apart", "tag"),
    [
        (True, True, False, ("too broad",)),
        (True, False, True, ("too narrow",)),
        (False, False, False, ("wrong",)),
        (True, True, True, ()),
    ],
)
def test_how_a_claim_failed_is_told_by_which_checks_it_failed(tells, reaches, apart, tag):
    made = verification(
        foretells_firing=tells, ranks_firing_first=tells, reaches=reaches, near_misses=apart
    )
    assert failings(made) == tag


def test_what_was_not_measured_is_not_held_against_the_label():
    assert failings(verification(judge=False)) == ()
