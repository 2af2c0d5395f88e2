"""The sealed verification passes what is right, refuses what nearly is, and opens pictures once."""

from typing import NamedTuple

import numpy as np
import pytest

from agent.desk import Desk, Rules
from agent.findings import Provenance
from agent.verification import TooRare, verify
from agent.verification.checks import CHECKS, Measurement, checked
from sae_core.index.build import build_index
from sae_core.index.observer import source_of, spec_of
from sae_core.index.query import Index
from sae_core.scoring.detection import detection
from tests.tools.oracles import Judge, OracleClip, OracleGrounder
from tools.evidence import SILENT, Evidence
from tools.failures import TryAgain, WontWork
from tools.lab import Lab, Makers
from tools.score import PictureMarks, ScoreResult, ScoreSheet, Unmeasured
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


async def test_near_misses_of_rivals_do_not_hide_that_a_claim_is_too_broad(desk_of):
    # With the pictures of unrelated rivals among the near misses, every broad claim passed.
    rivals = ("green color", "eyes", "tail", "sign")
    found = await verified(desk_of(BLUE.label), WITHOUT, BLUE.label, rivals=rivals)
    assert failed(found) == {"near misses"}
    right = f"{BLUE.label} without {RED.label}"
    assert (await verified(desk_of(BLUE.label), WITHOUT, right, rivals=rivals)).passed


@pytest.mark.parametrize("decoy", ["or a beach", "or cup", "without a beach", "together with cup"])
async def test_a_part_that_is_struck_leaves_the_rest_with_near_misses_of_its_own(desk_of, decoy):
    # Near misses of what was struck are easily told from what fits the rest.
    found = await verified(desk_of(RED.label), BOTH, f"{RED.label} {decoy}")
    assert (found.claim, len(found.struck)) == (RED.label, 1)
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


class Repeating(Drawn):
    """Knows what each picture is, and has some of another set's."""

    def __init__(self, pictures, repeated):
        super().__init__("test", SIZES["test"])
        self.kept, self.repeated = pictures, set(repeated)

    def picture(self, number):
        return self.kept.picture(number)

    def contents(self):
        return [f"{n in self.repeated or 'own'} {n}" for n in range(len(self))]


async def test_pictures_that_another_split_shows_are_not_sealed(desk_of, world):
    for repeated, left in ((range(0, 240, 3), True), (range(240), False)):
        desk = desk_of(RED.label)
        shown = {s: Repeating(world.pictures["test"], repeated) for s in ("explore", "test")}
        shown["explore"].contents = lambda repeated=repeated: [f"True {n}" for n in repeated]
        desk.lab._pictures.update(test=shown["test"], validate=shown["explore"])
        if left:
            found = await verified(desk, SINGLE, RED.label)
            evidence = desk.lab.artefacts.document(found.evidence, Evidence)
            assert found.passed
            assert not {one.picture for one in evidence.sightings} & set(repeated)
        else:
            with pytest.raises(WontWork, match="240 of 240 test pictures are in other splits"):
                await verified(desk, SINGLE, RED.label)


def foretold(reached, of=64, silent=64):
    """A claim that fits so many of the firing pictures, and no silent one."""
    score_N = np.array([1.0] * reached + [0.0] * (of - reached + silent))
    fires_N = np.arange(of + silent) < of
    found = detection(score_N, fires_N, 0.5)
    marks = [
        PictureMarks(picture=n, foretold=score, fires=bool(fires))
        for n, (score, fires) in enumerate(zip(score_N.tolist(), fires_N, strict=True))
    ]
    shared = {"label": "a", "feature": 0, "split": "test", "others": (), "evidence": "0" * 64}
    nobody = Unmeasured(reason="nobody was asked", again=False)
    result = ScoreResult(
        **shared, seen=False, short=False, threshold=0.5, sheet="1" * 64,
        unmeasured={"iou": nobody, "consistency": nobody},
        scores={"balanced_accuracy": found.balanced_accuracy, "auroc": found.auroc},
    )  # fmt: skip
    near = frozenset(range(of, of + silent))
    return Measurement(result, ScoreSheet(**shared, pictures=tuple(marks)), near, True, 0)


def test_how_far_a_claim_reaches_is_paid_for_like_everything_else():
    """A claim that fits half of the firing by nature passes now and then, among many or in time."""
    made = {name: CHECKS[name]("", foretold(42)) for name in ("foretells firing", "reaches")}
    assert all(check.passed for check in made.values())
    assert made["foretells firing"].p < 0.001  # it tells something, but not most of it
    assert made["reaches"].p == pytest.approx(0.0084, abs=1e-4)
    often = {c.name: c for c in checked(foretold(42)._replace(tries=6)).checks}
    assert often["foretells firing"].passed
    assert not often["reaches"].passed


def test_where_is_no_question_to_a_model_whose_cells_have_no_place():
    assert {"where", "judge"} == set(checked(foretold(60)).unmeasured)
    outcome = checked(foretold(60)._replace(placed=False))
    assert {"judge"} == set(outcome.unmeasured)
    assert "where" not in {check.name for check in outcome.checks}


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


async def test_silent_pictures_are_of_five_kinds_and_near_misses_nearly_fit(desk_of, world):
    desk = desk_of(RED.label)
    found = await verified(desk, BOTH, RED.label, rivals=(BLUE.label,))
    evidence = desk.lab.artefacts.document(found.evidence, Evidence)
    assert {one.group for one in evidence.sightings} >= {"quantile", "random", "fitting", "rival"}
    assert {one.quantile for one in evidence.of("quantile")} == {0, 1, 2, 3}
    pictures = desk.lab.opening("test")
    for one in evidence.of(*SILENT):
        fires = world.observer.values(pictures.picture("test", one.picture))[:, BOTH]
        assert not fires.any(), one
    grounder = OracleGrounder()
    for group, label in (("fitting", RED.label), ("rival", BLUE.label)):
        shown = [pictures.picture("test", one.picture) for one in evidence.of(group)]
        assert shown
        assert all(one.scores for one in grounder.locate(shown, [label] * len(shown))), group


async def test_a_better_claim_is_told_from_the_one_shot_label_on_the_same_pictures(desk_of):
    found = await verified(desk_of(RED.label), SINGLE, RED.label, one_shot=BLUE.label)
    assert found.better.low > 0
    assert found.one_shot_scores["auroc"].value < found.scores["auroc"].value
    same = await verified(desk_of(RED.label), SINGLE, RED.label, one_shot=f" {RED.label}")
    assert same.better is None
