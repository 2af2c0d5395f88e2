"""Intervals by picture: honest for one picture and for equal ones, the same in any order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sae_core.errors import UserError
from sae_core.scoring.estimate import Estimate, Score
from sae_core.scoring.resampling import SHARE, Cases, Span, cases_of, difference, mean

VALUES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=30)
SEEDS = st.integers(0, 2**20)


@given(VALUES, SEEDS)
def test_the_interval_holds_the_value_and_stays_within_the_span(values, seed):
    found = mean(cases_of(values), SHARE, seed)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.value == pytest.approx(np.mean(values))
    assert found.n == len(values)


@given(VALUES, SEEDS)
def test_four_times_the_pictures_make_a_narrower_interval(values, seed):
    few, many = (mean(cases_of(values * times), SHARE, seed) for times in (1, 4))
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_on_zeros_and_ones_the_ends_are_those_of_clopper_and_pearson(n):
    all_right = mean(cases_of([1.0] * n), SHARE, 0)
    assert all_right.high == 1
    assert all_right.low == pytest.approx(0.025 ** (1 / n), abs=0.01)


def test_a_five_picture_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [
        (found := mean(cases_of(values), SHARE, seed)).low <= 0.9 <= found.high
        for seed, values in enumerate((rng.random((400, 5)) < 0.9).astype(float))
    ]
    assert np.mean(held) >= 0.95  # resampling without an unseen picture: 0.36


@given(VALUES, st.randoms(use_true_random=False), SEEDS)
def test_neither_order_nor_numbers_of_pictures_matter(values, random, seed):
    pictures = [i // 2 for i in range(len(values))]
    pairs = [(value, 7 * picture + 3) for value, picture in zip(values, pictures, strict=True)]
    random.shuffle(pairs)
    shuffled = Cases(*(np.array(part) for part in zip(*pairs, strict=True)))
    before = Cases(np.array(values), np.array(pictures))
    assert mean(shuffled, SHARE, seed) == mean(before, SHARE, seed)


def test_many_masks_on_few_pictures_are_worth_no_more_than_the_pictures():
    values = [0.1, 0.5, 0.9]
    alone = mean(cases_of(values), SHARE, 0)
    tenfold = mean(Cases(np.repeat(values, 10), np.repeat(np.arange(3), 10)), SHARE, 0)
    assert (tenfold.low, tenfold.high) == pytest.approx((alone.low, alone.high))
    assert tenfold.n == 3


@given(VALUES, SEEDS)
def test_a_label_is_no_better_than_itself(values, seed):
    found = difference(cases_of(values), cases_of(values), SHARE, seed)
    assert (found.value, found.p) == (0, 1)
    assert found.low < 0 < found.high


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20), SEEDS)
def test_exchanging_two_labels_turns_their_difference_round(pairs, seed):
    one, two = (cases_of(list(values)) for values in zip(*pairs, strict=True))
    there, back = difference(one, two, SHARE, seed), difference(two, one, SHARE, seed)
    assert there.value == pytest.approx(-back.value)
    assert there.low <= there.value <= there.high
    assert there.p == pytest.approx(back.p, abs=0.05)


def test_pairing_sees_a_small_but_steady_advantage():
    level = np.linspace(0, 0.9, 60)
    found = difference(cases_of(level + 0.1), cases_of(level), SHARE, 0)
    assert found.low > 0
    assert found.p < 0.001


def test_labels_scored_on_different_pictures_are_not_compared():
    one, two = Cases(np.ones(2), np.array([3, 4])), Cases(np.ones(2), np.array([3, 5]))
    with pytest.raises(UserError, match="Picture 4 was scored for one of two labels only"):
        difference(one, two, SHARE, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_a_value_outside_of_the_span_is_refused_by_picture(bad):
    with pytest.raises(UserError, match="Picture 1 scores"):
        mean(cases_of([0.5, bad]), Span(0, 1), 0)


def test_no_pictures_have_no_mean():
    with pytest.raises(UserError, match="No picture to score"):
        mean(cases_of([]), SHARE, 0)


def test_a_score_without_a_null_can_not_be_made():
    with pytest.raises(ValidationError, match="nulls"):
        Score(value=0.5, low=0.4, high=0.6, n=3, nulls=())


@pytest.mark.parametrize("wrong", [{"value": np.nan}, {"low": 0.6}, {"high": 0.4}, {"n": 0}])
def test_an_estimate_is_finite_and_within_its_interval(wrong):
    with pytest.raises(ValidationError):
        Estimate(**{"value": 0.5, "low": 0.4, "high": 0.6, "n": 3} | wrong)
