"""Intervals: as the textbooks have them, and honest about no cases at all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toybox.measures import bootstrapped, share


def _mean(cases: list) -> float:
    return float(np.mean(cases))


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0),
        (95, 100, 0.8882, 0.9785),
    ],
)
def test_wilsons_interval_is_the_known_one(right, n, low, high):
    found = share([True] * right + [False] * (n - right))
    assert found.value == right / n
    assert (found.low, found.high, found.n) == pytest.approx((low, high, n), abs=5e-5)


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_the_interval_of_a_share_holds_it_and_stays_between_0_and_1(right):
    found = share(right)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_the_share_of_no_cases_is_unknown():
    found = share([])
    assert math.isnan(found.value)
    assert (found.low, found.high, found.n) == (0.0, 1.0, 0)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.integers(0, 99))
def test_the_interval_of_a_bootstrapped_mean_holds_it(cases, seed):
    found = bootstrapped(cases, _mean, seed, rounds=200)
    assert found.value == pytest.approx(_mean(cases))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9


def test_a_bootstrapped_interval_is_as_wide_as_the_standard_error_says():
    cases = list(np.random.default_rng(0).normal(size=400))
    found = bootstrapped(cases, _mean, 1, rounds=1_000)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(cases) / 20, rel=0.15)


def test_a_seed_gives_the_same_bootstrapped_interval_again():
    cases = [0.1, 0.4, 0.2, 0.9]
    assert bootstrapped(cases, _mean, 4) == bootstrapped(cases, _mean, 4)


def test_the_bootstrapped_statistic_of_no_cases_is_unknown_without_a_warning():
    found = bootstrapped([], _mean, 0)
    assert math.isnan(found.value)
    assert found.n == 0
