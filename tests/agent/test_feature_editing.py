"""Near misses part two claims by one concept, and a test says which of them foretold the change."""

import pytest

from agent.feature.editing import MOST, compounds, judged, near_misses
from agent.feature.inquiry import Looked
from tools.claims import parse
from tools.edit_one import EditedOne

HAT, BOTH, EITHER = (parse(text) for text in ("hat", "hat together with a beach", "hat or car"))
LOOKED = Looked(
    pictures=tuple(range(12)),
    fires=(True,) * 4 + (False,) * 8,
    sure={
        "hat": (0.9,) * 4 + (0.9,) * 4 + (0.0,) * 4,
        "a beach": (0.9,) * 4 + (0.0,) * 4 + (0.9, 0.9, 0.0, 0.0),
        "car": (0.9, 0.9) + (0.0,) * 10,
    },
)
DIGEST = "0" * 64


def edited(picture, fires, **sure):
    named = {name.replace("_", " "): value for name, value in sure.items()}
    return EditedOne(picture=picture, words="words", changed=DIGEST, fires=fires, sure=named)


def test_the_condition_is_taken_from_firing_pictures_and_given_to_silent_ones():
    found = {(one.concept, one.change): one.pictures for one in near_misses(HAT, BOTH, LOOKED)}
    assert found == {
        ("a beach", "remove"): (0, 1, 2, 3),
        ("a beach", "add"): (4, 5, 6, 7),
    }


def test_an_alternative_is_added_where_there_is_neither():
    (miss,) = near_misses(HAT, EITHER, LOOKED)
    assert (miss.concept, miss.change) == ("car", "add")
    assert set(miss.pictures) <= {8, 9, 10, 11}


def test_pictures_are_limited_however_many_ways_there_are():
    found = near_misses(parse("a beach"), HAT, LOOKED)
    assert 0 < sum(len(one.pictures) for one in found) <= MOST


@pytest.mark.parametrize(("fires", "right"), [(False, BOTH), (True, HAT)])
def test_the_claim_that_foretold_the_change_is_right(fires, right):
    shown = [edited(number, fires, hat=0.9, a_beach=0.0) for number in range(4)]
    found = judged((HAT, BOTH), (), LOOKED, shown, 0)
    values = {text: test.estimate.value for text, test in found.items()}
    wrong = HAT if right is BOTH else BOTH
    assert values == {right.text: 1, wrong.text: 0}
    assert all((test.kind, test.chance, len(test.evidence)) == ("edit", 0.5, 4)
               for test in found.values())  # fmt: skip


def test_an_edit_that_did_not_do_it_does_not_count():
    still = [edited(0, True, hat=0.9, a_beach=0.9)]
    assert judged((HAT, BOTH), (), LOOKED, still, 0) == {}


def test_two_single_concepts_may_be_either_or_both_or_one_without_the_other():
    found = {claim.text for claim in compounds(HAT, parse("car"))}
    assert found == {
        "hat or car", "hat together with car", "car together with hat",
        "hat without car", "car without hat",
    }  # fmt: skip
    assert compounds(HAT, BOTH) == []


def test_what_both_concepts_are_needed_for_is_told_by_removing_either():
    hat, beach = HAT, parse("a beach")
    shown = [
        *(edited(number, False, hat=0.9, a_beach=0.0) for number in (0, 1)),
        *(edited(number, False, hat=0.0, a_beach=0.9) for number in (2, 3)),
    ]
    found = judged((hat, beach), compounds(hat, beach), LOOKED, shown, 0)
    best = max(found, key=lambda text: found[text].estimate.value)
    assert "hat" in best
    assert "together with" in best
    assert found[best].estimate.value == 1
    assert found["hat"].estimate.value == found["a beach"].estimate.value == 0.5
