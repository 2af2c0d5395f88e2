"""CLIP-score beside random pictures and a generic caption."""

import numpy as np
import pytest

from sae_core.errors import UserError
from sae_core.scoring.similarity import clip_score, clip_scores

AXES = np.eye(8)
MODES = ["paper", "strict"]


def embeddings(count, towards, seed):
    noise = np.random.default_rng(seed).normal(0, 0.3, (count, 8))
    return AXES[0] + towards + noise  # all share a part, as CLIP's do


def scored(mode, towards=AXES[1], pictures=6, seed=0):
    own, pool = embeddings(pictures, 0.7 * towards, 1), embeddings(100, 0, 2)
    return clip_score(AXES[0] + AXES[1], own, pool, AXES[0], mode, seed)


def test_a_score_is_a_hundred_times_the_cosine_and_never_negative():
    pictures = np.array([[2.0, 0, 0], [0, 3, 0], [-1, 0, 0], [3, 4, 0]])
    np.testing.assert_allclose(clip_scores(np.array([5.0, 0, 0]), pictures), [100, 0, 0, 60])


@pytest.mark.parametrize("mode", MODES)
def test_a_right_label_beats_random_pictures_and_a_wrong_one_does_not(mode):
    right, wrong = scored(mode), scored(mode, towards=AXES[5])
    assert right.value > right.nulls[0].high
    assert right.nulls[0].p < 0.05 < wrong.nulls[0].p


def test_a_wrong_label_does_not_beat_a_generic_caption():
    right, wrong = (scored("strict", towards=axis).nulls[1] for axis in (AXES[1], AXES[5]))
    assert right.name == "generic_caption"
    assert right.p < 0.05 < wrong.p


def test_a_label_that_is_worse_on_every_picture_never_beats_a_generic_caption():
    own, pool = np.tile(AXES[0], (6, 1)), embeddings(50, 0, 2)
    assert clip_score(AXES[0] + AXES[1], own, pool, AXES[0], "strict").nulls[1].p == 1


def test_the_papers_random_score_is_of_thirty_trials():
    assert scored("paper").nulls[0].draws == 30


def test_random_trials_in_strict_mode_are_as_large_as_the_set_scored():
    spread = [(null := scored("strict", pictures=n).nulls[0]).high - null.low for n in (1, 25)]
    assert spread[1] < spread[0] / 3


@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_pictures_does_not_matter(mode):
    own, pool = embeddings(6, AXES[1], 1), embeddings(50, 0, 2)
    there = clip_score(AXES[0], own, pool, AXES[2] + AXES[0], mode)
    assert clip_score(AXES[0], own[::-1], pool[::-1], AXES[2] + AXES[0], mode) == there


@pytest.mark.parametrize("mode", MODES)
def test_too_few_random_pictures_are_refused(mode):
    with pytest.raises(UserError, match="random pictures are too few"):
        clip_score(AXES[0], embeddings(5, 0, 1), embeddings(4, 0, 2), AXES[1], mode)


@pytest.mark.parametrize("bad", [np.zeros(8), np.full(8, np.nan)])
def test_an_embedding_without_a_direction_is_refused(bad):
    with pytest.raises(UserError, match="no direction"):
        clip_scores(bad, AXES)
    with pytest.raises(UserError, match="no direction"):
        clip_scores(AXES[0], np.stack([AXES[0], bad]))
