"""p-values and false discovery rates against plain counting."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.errors import UserError
from sae_core.scoring.significance import benjamini_hochberg, rank_p, share_p, sign_flip_p

PS = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.04, 0.05, 0.3, 1.0]), max_size=12)
WHOLE = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=7)


def step_up(ps, rate):
    """Benjamini and Hochberg: all up to the last p within its rank's share of the rate."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    good = [rank for rank, i in enumerate(order, 1) if ps[i] * len(ps) <= rate * rank + 1e-12]
    return {i for i in order if good and ps[i] <= ps[order[max(good) - 1]]}


@given(PS, st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_benjamini_hochberg_discovers_what_the_step_up_rule_does(ps, rate):
    adjusted = benjamini_hochberg(np.array(ps))
    assert set(np.flatnonzero(adjusted <= rate + 1e-12).tolist()) == step_up(ps, rate)


@pytest.mark.parametrize("bad", [[0.5, np.nan], [-0.1], [1.5], [[0.1]]])
def test_what_is_no_p_value_is_refused(bad):
    with pytest.raises(UserError, match="p-values are one row"):
        benjamini_hochberg(np.array(bad))


@given(WHOLE)
def test_for_few_pictures_the_sign_flips_are_all_counted(differences):
    sums = [
        sum(sign * d for sign, d in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    total, values = sum(differences), np.array(differences)
    one, two = (np.mean([f(s) >= f(total) for s in sums]) for f in (float, abs))
    assert sign_flip_p(values, 0, two_sided=False) == pytest.approx(one)
    assert sign_flip_p(values, 0, two_sided=True) == pytest.approx(two)


def test_for_many_pictures_drawn_flips_come_near_the_normal_law():
    differences = np.r_[np.ones(60), -np.ones(40)]  # two standard deviations from none
    assert sign_flip_p(differences, 0, two_sided=False) == pytest.approx(0.028, abs=0.01)


@pytest.mark.parametrize(("value", "p"), [(0.5, 0.25), (0.3, 0.5), (0.1 + 0.2, 0.5), (0.0, 1.0)])
def test_the_value_counts_among_the_draws_and_rounding_does_not(value, p):
    assert rank_p(value, np.array([0.1, 0.2, 0.3])) == p


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 1), (5, 8), (8, 8)])
def test_at_least_so_many_hits_are_as_likely_as_counting_says(hits, of):
    counted = [sum(flips) >= hits for flips in itertools.product((0, 1), repeat=of)]
    assert share_p(hits, of, 0.5) == pytest.approx(np.mean(counted))


def test_hits_among_thousands_can_be_counted():
    assert share_p(2500, 5000, 0.5) == pytest.approx(0.5, abs=0.01)
    assert share_p(2700, 5000, 0.5) < 1e-7
