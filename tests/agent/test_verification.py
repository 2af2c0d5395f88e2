"""The sealed verification passes what is right, refuses what nearly is, and opens pictures once."""

from typing import NamedTuple

import pytest

from agent.desk import Desk, Rules
from agent.findings import Provenance
from agent.verification import TooRare, verify
from sae_core.index.build import build_index
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from tests.tools.oracles import Judge, OracleClip, OracleGrounder
from tools.evidence import SILENT, Evidence
from tools.failures import TryAgain, WontWork
from tools.lab import Lab, Makers
from toybox.conversations import ToyboxPictures
from toybox.planted import Planted, PlantedObserver
from toybox.vocabulary import BY_ID

pytestmark = pytest.mark.anyio

SIZES = {"explore": 128, "test": 240}
BEACH, SEA, RED, BLUE, CUP = (
    BY_ID[name] for name in ("scene:beach", "scene:sea", "color:red", "color:blue", "object:cup")
)
FEATURES = (
    Planted("single", RED),
    Planted("or", BEACH, SEA),
    Planted("and", RED, BLUE),
    Planted("and not", BLUE, RED),
    Planted("and", CUP, BEACH),
    Planted("noise"),
)
SINGLE, EITHER, BOTH, WITHOUT, RARE, NOISE = range(len(FEATURES))
OTHERS = ("tree", "boat", "sign", "metal")


class Drawn(ToyboxPictures):
    """Each picture is drawn once for all tests."""

    def __init__(self, split, count):
        super().__init__(split, count)
        self._drawn = {}

    def picture(self, number):
        if number not in self._drawn:
            self._drawn[number] = super().picture(number)
        return self._drawn[number]


class World(NamedTuple):
    observer: PlantedObserver
    pictures: dict
    indexes: dict


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    observer = PlantedObserver(0)
    observer.planted = FEATURES
    pictures = {split: Drawn(split, size) for split, size in SIZES.items()}
    indexes = {}
    for split, shown in pictures.items():
        folder = tmp_path_factory.mktemp("index") / split
        build_index(folder, spec_of(observer, shown), source_of(observer, shown))
        indexes[split] = Index.open(folder)
    return World(observer, pictures, indexes)


@pytest.fixture
def desk_of(world, tmp_path):
    """A desk whose judge agrees with one label, or with a grounder of another kind."""

    def make(label=None, **parts):
        judge = Judge(label) if label else Judge(always="1")
        made = {"grounder": OracleGrounder(), "clip": OracleClip(), "judge": judge} | parts
        makers = Makers(
            observer=lambda: world.observer,
            index=world.indexes.__getitem__,
            explainer=lambda: pytest.fail("nobody explains here"),
            **{name: (lambda part=part: part) for name, part in made.items()},
        )
        lab = Lab(makers, world.pictures, tmp_path)
        provenance = Provenance(model="toybox", hook="pixels", coder="planted")
        return Desk(lab, "run", provenance=provenance, rules=Rules())

    return make


async def verified(desk, feature, claim, one_shot=None, rivals=(), key="k"):
    return await verify(desk, key, feature, claim, one_shot, rivals, others=OTHERS)


def failed(verification):
    return {check.name for check in verification.checks if not check.passed}


async def test_a_right_claim_passes_every_check(desk_of):
    found = await verified(desk_of(RED.label), SINGLE, RED.label)
    assert not failed(found)
    assert found.passed
    assert {check.name for check in found.checks} == {
        "foretells firing", "ranks firing first", "reaches", "near misses", "where", "judge",
    }  # fmt: skip


async def test_a_wrong_claim_fails(desk_of):
    found = await verified(desk_of(BLUE.label), SINGLE, BLUE.label)
    assert not found.passed
    assert {"foretells firing", "ranks firing first", "near misses"} <= failed(found)


async def test_nothing_explains_noise(desk_of):
    found = await verified(desk_of(RED.label), NOISE, RED.label)
    assert not found.passed


@pytest.mark.parametrize("feature", [BOTH, WITHOUT])
async def test_a_claim_that_leaves_out_a_condition_fails_on_near_misses(desk_of, feature):
    label = FEATURES[feature].first.label
    found = await verified(desk_of(label), feature, label)
    assert "near misses" in failed(found)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"{RED.label} without {CUP.label}", RED.label),
        (f"{RED.label} or {CUP.label}", RED.label),
        (f"{RED.label} or {CUP.label} without {SEA.label}", RED.label),
    ],
)
async def test_a_part_that_the_pictures_do_not_bear_out_is_left_out_and_costs_a_try(
    desk_of, said, left
):
    found = await verified(desk_of(left), SINGLE, said)
    assert found.claim == left
    assert found.passed
    plain = await verified(desk_of(left), SINGLE, left, key="plain")
    assert found.struck[0].claim == said
    p, paid = ({c.name: c.p for c in one.checks}["near misses"] for one in (plain, found))
    assert paid == pytest.approx(p * (1 + len(found.struck)))


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (EITHER, f"{BEACH.label} or {SEA.label}"),
        (BOTH, f"{RED.label} together with {BLUE.label}"),
        (WITHOUT, f"{BLUE.label} without {RED.label}"),
    ],
)
async def test_a_part_that_the_feature_cares_for_stays(desk_of, feature, said):
    found = await verified(desk_of(said), feature, said)
    assert (found.claim, found.struck) == (said, ())


async def test_one_of_two_alternatives_does_not_reach_far_enough(desk_of):
    found = await verified(desk_of(SEA.label), EITHER, SEA.label)
    assert "reaches" in failed(found)


async def test_a_judge_who_agrees_with_everything_proves_nothing(desk_of):
    found = await verified(desk_of(), SINGLE, RED.label)
    assert failed(found) == {"judge"}


async def test_the_pictures_are_opened_for_one_claim_only(desk_of):
    desk = desk_of(RED.label)
    first = await verify(desk, "k", SINGLE, RED.label)
    again = await verify(desk, "k", SINGLE, RED.label)
    assert again == first
    with pytest.raises(WontWork, match="opened for this finding before"):
        await verified(desk, SINGLE, BLUE.label)


async def test_pictures_that_were_opened_before_ask_for_more(desk_of):
    desk = desk_of(RED.label)
    first = await verified(desk, SINGLE, RED.label, key="one seed")
    second = await verified(desk, SINGLE, RED.label, key="another seed")
    known = {check.name: check.p for check in first.checks if check.p is not None}
    assert (first.tries, second.tries) == (1, 2)
    assert known
    assert {check.name: check.p for check in second.checks if check.p is not None} == {
        name: min(1.0, 2 * p) for name, p in known.items()
    }


async def test_a_rare_feature_leaves_the_seal_whole(desk_of):
    desk = desk_of(CUP.label)
    found = await verified(desk, RARE, CUP.label)
    assert isinstance(found, TooRare)
    assert "too few" in found.why
    assert desk.keeper.open("k", "something else", desk.lab.opening("test").pictures("test").digest)


class Failing:
    """A grounder that fails while it has a reason to."""

    identity = "failing"

    def __init__(self, reason):
        self.reason = reason

    def locate(self, pictures, labels):
        if self.reason is not None:
            raise self.reason
        return OracleGrounder().locate(pictures, labels)


async def test_a_grounder_that_fails_is_no_score_and_no_pass(desk_of):
    grounder = Failing(WontWork("the grounder has no such word"))
    found = await verified(desk_of(RED.label, grounder=grounder), SINGLE, RED.label)
    assert not found.passed
    assert found.unmeasured["where"] == found.unmeasured["reaches"] == grounder.reason.reason
    assert [check.name for check in found.checks] == ["judge"]


async def test_a_grounder_that_is_down_speaks_neither_for_a_claim_nor_against_it(desk_of):
    grounder = Failing(TryAgain("the grounder is busy"))
    desk = desk_of(RED.label, grounder=grounder)
    with pytest.raises(TryAgain, match="sealed test could not be ended: the grounder is busy"):
        await verify(desk, "k", SINGLE, RED.label)
    grounder.reason = None
    assert (await verify(desk, "k", SINGLE, RED.label)).passed


async def test_silent_pictures_are_of_four_kinds_and_near_misses_nearly_fit(desk_of, world):
    desk = desk_of(RED.label)
    found = await verified(desk, BOTH, RED.label, rivals=(BLUE.label,))
    evidence = desk.lab.artefacts.document(found.evidence, Evidence)
    assert {one.group for one in evidence.sightings} >= {"quantile", "random", "rival"}
    assert {one.quantile for one in evidence.of("quantile")} == {0, 1, 2, 3}
    pictures = desk.lab.opening("test")
    for one in evidence.of(*SILENT):
        fires = world.observer.values(pictures.picture("test", one.picture))[:, BOTH]
        assert not fires.any(), one
    grounder = OracleGrounder()
    fitting = [
        any(
            grounder.locate([pictures.picture("test", one.picture)], [label])[0].scores
            for label in (RED.label, BLUE.label)
        )
        for one in evidence.of("rival")
    ]
    assert all(fitting)


async def test_a_better_claim_is_told_from_the_one_shot_label_on_the_same_pictures(desk_of):
    found = await verified(desk_of(RED.label), SINGLE, RED.label, one_shot=BLUE.label)
    assert found.better.low > 0
    assert found.one_shot_scores["auroc"].value < found.scores["auroc"].value
    same = await verified(desk_of(RED.label), SINGLE, RED.label, one_shot=f" {RED.label}")
    assert same.better is None
