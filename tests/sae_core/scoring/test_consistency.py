"""Shares of a judge's yes, beside the same judge's on shuffled labels."""

import numpy as np
import pytest

from sae_core.errors import UserError
from sae_core.scoring.consistency import consistency
from sae_core.scoring.resampling import Cases, cases_of


def test_a_right_label_stands_beside_what_shuffled_ones_get():
    shuffled = [cases_of([0, 0, 1, 0]) for _ in range(19)]
    score = consistency(cases_of([1, 1, 1, 0]), shuffled)
    null = score.nulls[0]
    assert (score.value, score.n) == (0.75, 4)
    assert (null.value, null.n, null.draws) == (0.25, 4, 19)
    assert null.p == pytest.approx(0.05)


def test_a_judge_who_always_agrees_proves_nothing():
    always = cases_of([1] * 5)
    assert consistency(always, [always] * 30).nulls[0].p == 1


def test_the_value_is_the_share_of_all_judgements():
    score = consistency(Cases(np.array([1, 1, 1, 0]), np.array([4, 4, 4, 9])), [cases_of([0])])
    assert (score.value, score.n) == (0.75, 2)


def test_what_is_neither_yes_nor_no_is_refused():
    with pytest.raises(UserError, match="neither 0 nor 1"):
        consistency(cases_of([1, 0.5]), [cases_of([0])])


def test_without_shuffled_labels_there_is_no_score():
    with pytest.raises(UserError, match="No judgements of shuffled labels"):
        consistency(cases_of([1, 1]), [])
