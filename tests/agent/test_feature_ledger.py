"""The ledger prefers what foretells best, and of two that do the same what says less."""

from agent.feature.inquiry import Looked
from agent.feature.ledger import PER_CONDITION, entered, graded, guessed, ranked, with_test
from agent.findings import Hypothesis
from tools.claims import parse

LOOKED = Looked(
    pictures=tuple(range(8)),
    fires=(True,) * 3 + (False,) * 5,
    sure={
        "hat": (0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1),
        "a beach": (0.8, 0.8, 0.8, 0.1, 0.1, 0.8, 0.1, 0.1),
        "car": (0.1,) * 8,
    },
)


def given(claim, votes=1):
    return Hypothesis(claim=claim, origin="seen together", votes=votes)


def test_a_condition_that_matters_wins_and_one_that_does_not_loses():
    claims = ["hat", "hat together with a beach", "hat or car", "hat without car"]
    order = ranked([given(claim) for claim in claims], LOOKED)
    assert [one.claim for one in order[:2]] == ["hat together with a beach", "hat"]
    assert order[0].standing == 1 - PER_CONDITION
    assert order[1].standing == (1 + 3 / 5) / 2


def test_of_two_that_foretell_the_same_the_one_whose_thing_lights_up_wins():
    """A hat on a beach and a beach with a hat are there together; the explainer saw hats."""
    conditions = ["a beach together with hat", "hat together with a beach"]
    ledger = [
        given("hat", 7),
        given("a beach", 2),
        *(guessed(parse(c), "beside") for c in conditions),
    ]
    assert ranked(ledger, LOOKED)[0].claim == "hat together with a beach"


def test_what_was_not_looked_for_does_not_stand():
    (one,) = ranked([given("boat")], LOOKED)
    assert one.standing is None
    assert with_test([one], LOOKED, "detect", "asked", 5, 0)[0].tests == ()


def test_the_same_label_in_other_words_is_one_hypothesis():
    ledger = entered(
        [given("a hat or a car", 2)], [given("Car or hat", 3), guessed(parse("hat"), "part")]
    )
    assert [(one.claim, one.votes) for one in ledger] == [("a hat or a car", 5), ("hat", 0)]


def test_a_test_tells_its_interval_and_chance():
    ledger = ranked([given("hat together with a beach"), given("car")], LOOKED)
    best, _ = with_test(ledger, LOOKED, "detect", "asked", 1, 0)
    (test,) = best.tests
    assert (test.estimate.value, test.estimate.n, test.chance) == (1.0, 8, 0.5)
    assert ledger[1].tests == ()


def test_recall_and_specificity_say_where_a_claim_fails():
    grade = graded(parse("hat"), LOOKED)
    assert (grade.recall, grade.specificity) == (1, 0.6)
