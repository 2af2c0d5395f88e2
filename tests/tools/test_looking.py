"""Looking at pictures for a claim: found by looks, seen once, described, told apart."""

import itertools

import numpy as np
import pytest

from tests.tools.conftest import Scripted
from tests.tools.oracles import OracleClip, OracleGrounder, seen
from tools import panel
from tools.backends.roles import Located
from tools.claims import parse
from tools.describe import DescribeArguments, describe
from tools.failures import TryAgain, WontWork
from tools.look import LookArguments, look
from tools.seek import SeekArguments, seek
from tools.tell_apart import TellApartArguments, rank_p, tell_apart
from toybox.tags import KEY

pytestmark = pytest.mark.anyio


@pytest.fixture
def seeing(make_lab):
    return make_lab(grounder=OracleGrounder(), clip=OracleClip())


def shows(lab, number, label):
    return label in seen(lab.picture("explore", number).info[KEY]).masks


def test_what_is_sought_looks_like_the_claim(seeing):
    found = seek.function(seeing, SeekArguments(claim="red color without a beach", count=12))
    assert all(shows(seeing, n, "red color") for n in found.pictures)
    assert not any(shows(seeing, n, "a beach") for n in found.pictures)


def test_two_claims_are_told_apart_by_pictures_that_fit_one_alone(seeing):
    both = seek.function(
        seeing, SeekArguments(claim="red color", against="red color without a beach", count=5)
    )
    assert all(shows(seeing, n, "red color") for n in both.pictures)
    assert all(shows(seeing, n, "a beach") for n in both.pictures)


def test_what_the_verification_has_looked_at_stays_sealed_for_everybody_else(make_lab, world):
    """What was worked out with the seal open was kept, and told without asking for the seal."""
    shown = {"test": world.pictures["explore"]}
    seeing = make_lab(
        pictures=shown,
        indexes={"test": world.indexes["explore"]},
        grounder=OracleGrounder(),
        clip=OracleClip(),
    )
    opened, concepts = seeing.opening("test"), ("tree",)
    asked = {"pictures": (0, 1), "feature": 0, "split": "test"}
    calls = (
        lambda lab: seek.function(lab, SeekArguments(claim="tree", split="test")),
        lambda lab: look.function(lab, LookArguments(**asked)),
        lambda lab: look.function(lab, LookArguments(**asked, concepts=concepts)),
    )
    for call in calls:
        call(opened)
    for call in calls:
        with pytest.raises(WontWork, match="split test is sealed"):
            call(seeing)


def test_looks_are_kept_on_disk(seeing, make_lab):
    first = panel.fit(seeing, "explore", parse("tree"))

    class Reader(OracleClip):
        def of_pictures(self, _):
            raise AssertionError("looked at pictures again")

    again = make_lab(clip=Reader())
    assert np.array_equal(panel.fit(again, "explore", parse("tree")), first)


def test_a_picture_is_looked_at_once_for_a_concept(make_lab, feature_of):
    class Counting:
        identity, asked = "counting", 0

        def locate(self, _, labels):
            self.asked += len(labels)
            return [Located(np.zeros((96, 96), bool), (), (0.25,)) for _ in labels]

    grounder = Counting()
    lab, feature = make_lab(grounder=grounder), feature_of()
    for concepts in (("tree",), ("tree", "boat"), ("boat",)):
        arguments = LookArguments(pictures=(3, 1, 3), feature=feature, concepts=concepts)
        found = look.function(lab, arguments)
        assert set(found.sure) == set(concepts)
    assert grounder.asked == 4
    assert found.sure["boat"] == pytest.approx((0.25, 0.25, 0.25), rel=0.01)


def test_looking_sees_firing_as_the_index_does(seeing, world, feature_of):
    feature = feature_of()
    firing = world.indexes["explore"].feature(feature).top_by_mean[0].picture
    silent = next(n for n in range(300) if not panel.fires(seeing, "explore", [n], feature).any())
    arguments = LookArguments(pictures=(silent, firing), feature=feature)
    assert look.function(seeing, arguments).fires == (False, True)


def test_how_sure_the_grounder_is_does_not_depend_on_last_places():
    for sure in (0.0, 3e-6, 0.2, 0.4, 0.9999, 1.0):
        assert panel.settled(sure) == pytest.approx(sure, rel=0.01)
    assert panel.settled(0.4 + 1e-6) == panel.settled(0.4)
    assert panel.settled(0.99994) < panel.settled(0.99996) < 1


async def test_a_feature_that_is_not_there_is_refused(seeing):
    with pytest.raises(WontWork, match="9999"):
        await look.call(seeing, LookArguments(pictures=(0,), feature=9999))


def test_words_of_one_set_come_first_and_others_are_no_discovery(seeing):
    beaches = [n for n in range(300) if shows(seeing, n, "a beach")][:12]
    others = [n for n in range(300) if not shows(seeing, n, "a beach")][:12]
    found = tell_apart.function(
        seeing,
        TellApartArguments(
            one=tuple(beaches), other=tuple(others), words=("tree", "a beach", "cup")
        ),
    ).words
    assert (found[0].word, found[0].more) == ("a beach", 1.0)
    assert found[0].false_discovery_rate < 0.001
    assert all(one.false_discovery_rate > 0.05 for one in found[1:])


def test_the_rank_test_keeps_its_level():
    rng = np.random.default_rng(0)
    values = rng.random((2000, 20))
    above = (values[:, :8, None] > values[:, None, 8:]).mean((1, 2))
    assert 0.035 < np.mean([rank_p(more, 8, 12) < 0.05 for more in above]) < 0.065


@pytest.mark.parametrize(("one", "other"), [(1, 1), (3, 3), (2, 5), (1, 6)])
def test_how_few_pictures_are_parted_by_chance_is_counted(one, other):
    """With the normal approximation, 3 against 3 pictures could be a discovery."""
    orders = [set(some) for some in itertools.combinations(range(one + other), one)]
    shares = [
        np.mean([a > b for a in some for b in set(range(one + other)) - some]) for some in orders
    ]
    for share in shares:
        counted = np.mean([abs(x - 0.5) >= abs(share - 0.5) - 1e-9 for x in shares])
        assert rank_p(share, one, other) == pytest.approx(counted)


async def test_pictures_are_described_one_by_one_and_failures_counted(make_lab):
    chat = Scripted("a beach with a hat.", TryAgain("busy"), "...")
    lab = make_lab(describer=chat)
    found = await describe.call(lab, DescribeArguments(pictures=(4, 2, 7)))
    assert [(one.picture, one.text) for one in found.descriptions] == [(4, "a beach with a hat.")]
    assert found.failed == 2
    assert all(len(request.pictures) == 1 for request in chat.asked)


async def test_a_lab_without_a_describer_says_what_to_set(make_lab):
    with pytest.raises(WontWork, match=r"models\.target"):
        await describe.call(make_lab(), DescribeArguments(pictures=(0,)))
