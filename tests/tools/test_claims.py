"""A label's parts are read, written and composed the same way by whoever uses them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.claims import Claim, normal, parse

CONCEPTS = st.sampled_from(
    ["hat", "a beach", "the word open", "red color", "orchid", "wheels of cars"]
)
CLAIMS = st.builds(
    Claim,
    any_of=st.lists(CONCEPTS, min_size=1, max_size=3, unique=True).map(tuple),
    beside=st.none() | CONCEPTS,
    without=st.none() | CONCEPTS,
)


@given(CLAIMS)
def test_a_claim_is_read_as_it_was_written(claim):
    assert parse(claim.text) == claim
    assert parse(claim.text.upper()).parts == claim.parts


@given(st.text())
def test_any_label_is_some_claim_and_stays_the_same(text):
    said = parse(text).text
    assert parse(said).text == said
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the sea or a beach", "Beach or sea."),
        ("hat together with a beach", "A hat together with beach"),
        ("hat without the sea", "hat without sea"),
    ],
)
def test_labels_that_say_the_same_are_equal(one, other):
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hat together with a beach", "a beach together with hat"),
        ("hat together with a beach", "hat without a beach"),
        ("hat or beach", "hat"),
    ],
)
def test_labels_that_say_something_else_are_not(one, other):
    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    ("label", "hat", "beach", "expected"),
    [
        ("hat or beach", 0.2, 0.9, 0.9),
        ("hat together with beach", 0.8, 0.3, 0.3),
        ("hat without beach", 0.8, 0.7, 0.3),
        ("hat without beach", 0.8, 0.0, 0.8),
    ],
)
def test_a_claim_fits_as_far_as_all_that_it_says(label, hat, beach, expected):
    sure = {"hat": np.array([hat]), "beach": np.array([beach])}
    assert parse(label).composed(sure) == pytest.approx([expected])


def test_a_claim_is_where_its_alternatives_are_and_nowhere_if_a_condition_fails():
    hat, car = np.array([[True, False, False]]), np.array([[False, True, False]])
    beach, nowhere = np.array([[False, False, True]]), np.zeros((1, 3), bool)
    there = {"hat": hat, "car": car, "beach": beach}
    assert (parse("hat or car together with beach").masked(there) == (hat | car)).all()
    assert not parse("hat or car without beach").masked(there).any()
    gone = there | {"beach": nowhere}
    assert not parse("hat or car together with beach").masked(gone).any()
    assert (parse("hat without beach").masked(gone) == hat).all()
