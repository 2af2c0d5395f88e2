"""Foretelling on which pictures a feature fires."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.errors import UserError
from sae_core.scoring.detection import auroc, detection

PICTURES = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 2.0]), st.booleans()), min_size=2, max_size=25
).filter(lambda pairs: len({fires for _, fires in pairs}) == 2)


def columns(pairs):
    score, fires = zip(*pairs, strict=True)
    return np.array(score), np.array(fires)


@given(PICTURES)
def test_auroc_equals_counting_all_pairs(pairs):
    score, fires = columns(pairs)
    won = [(a > b) + (a == b) / 2 for a in score[fires] for b in score[~fires]]
    assert auroc(score, fires) == pytest.approx(np.mean(won))
    assert detection(score, fires, 0.5).auroc.value == pytest.approx(np.mean(won))


@given(PICTURES, st.sampled_from([-1.0, 0.1, 0.5, 3.0]))
def test_balanced_accuracy_is_the_mean_share_right_of_each_kind(pairs, threshold):
    score, fires = columns(pairs)
    right = (score >= threshold) == fires
    found = detection(score, fires, threshold).balanced_accuracy
    assert found.value == pytest.approx((right[fires].mean() + right[~fires].mean()) / 2)


@given(PICTURES, st.randoms(use_true_random=False))
def test_the_order_of_pictures_does_not_matter(pairs, random):
    before = detection(*columns(pairs), 0.5, seed=3)
    random.shuffle(pairs)
    assert detection(*columns(pairs), 0.5, seed=3) == before


@given(PICTURES)
def test_shuffled_labels_score_a_half(pairs):
    for score in detection(*columns(pairs), 0.5):
        assert score.nulls[0].value == pytest.approx(0.5, abs=0.03)


def test_a_good_label_beats_its_null_and_a_senseless_one_does_not():
    rng = np.random.default_rng(0)
    fires = np.arange(80) % 2 == 0
    for score in detection(fires + rng.normal(0, 0.4, 80), fires, 0.5):
        assert score.low > score.nulls[0].high
        assert score.nulls[0].p < 0.001
    for score in detection(rng.random(80), fires, 0.5):
        assert score.low < 0.5 < score.high
        assert score.nulls[0].p > 0.05


def test_a_perfect_label_on_few_pictures_is_not_called_certain():
    for score in detection(np.array([1.0, 0, 0, 0]), np.array([True, False, False, False]), 0.5):
        assert (score.value, score.high) == (1, 1)
        assert score.low < 0.55
        assert score.nulls[0].p == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("firing", [1, 80])
def test_few_pictures_of_either_kind_leave_auroc_open(firing):
    fires = np.arange(81) < firing
    assert detection(fires.astype(float), fires, 0.5).auroc.low < 0.05


def test_where_all_scores_tie_aurocs_interval_lies_evenly_around_a_half():
    score = detection(np.ones(80), np.arange(80) < 40, 0.5).auroc
    assert score.low + score.high == pytest.approx(1)
    assert 0.4 < score.low < 0.5


def test_more_pictures_make_narrower_intervals():
    rng = np.random.default_rng(1)
    fires = np.arange(20) % 4 == 0
    score = fires + rng.normal(0, 1, 20)
    few, many = (detection(np.tile(score, n), np.tile(fires, n), 0.5) for n in (1, 9))
    for less, more in zip(few, many, strict=True):
        assert more.value == pytest.approx(less.value)
        assert more.high - more.low < (less.high - less.low) / 2


@pytest.mark.parametrize("fires", [np.ones(3, bool), np.zeros(3, bool)])
def test_pictures_of_one_kind_only_are_refused(fires):
    with pytest.raises(UserError, match="both kinds are needed"):
        detection(np.ones(3), fires, 0.5)


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(UserError, match="not a number"):
        detection(np.array([1, np.nan]), np.array([True, False]), 0.5)


def test_firing_that_is_not_true_or_false_is_refused():
    with pytest.raises(UserError, match="True or False"):
        detection(np.ones(2), np.array([1, 0]), 0.5)
