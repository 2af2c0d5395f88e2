"""A threshold is learnt where it does best, and on the explore split alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.oracles import OracleClip, OracleGrounder
from tools.failures import WontWork
from tools.foretelling import best_threshold, foretold, learnt_threshold

SCORES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2).filter(
    lambda rows: len({fires for _, fires in rows}) == 2
)


def accuracy(score_N, fires_N, threshold):
    called = score_N >= threshold
    return (called[fires_N].mean() + (~called[~fires_N]).mean()) / 2


@given(SCORES)
def test_no_threshold_does_better_than_the_best(rows):
    score_N, fires_N = (np.array(column) for column in zip(*rows, strict=True))
    best = accuracy(score_N, fires_N, best_threshold(score_N, fires_N))
    assert all(accuracy(score_N, fires_N, t) <= best + 1e-12 for t in np.arange(-0.25, 6, 0.25))


def test_a_gap_is_cut_in_its_middle():
    assert best_threshold(np.array([0.0, 1.0, 3.0]), np.array([False, False, True])) == 2


def test_a_label_that_fits_nowhere_scores_zero_with_the_grounder(make_lab):
    lab = make_lab(grounder=OracleGrounder())
    assert foretold(lab, "grounder", "unicorn", [lab.picture("explore", 0)]) == [0]


def test_validate_pictures_have_no_part_in_the_threshold(make_lab, world, feature_of):
    explore = {"explore": world.pictures["explore"]}
    lab = make_lab(clip=OracleClip(), pictures=explore)
    feature = feature_of("tree")
    with pytest.raises(WontWork):
        lab.pictures("validate")
    assert 0 < learnt_threshold(lab, "clip", "tree", feature) < 1


def test_a_feature_silent_in_explore_has_no_threshold(make_lab, world):
    lab = make_lab(clip=OracleClip())
    index = world.indexes["explore"]
    silent = next(f for f in range(index.features) if not index.feature(f).fires_on)
    with pytest.raises(WontWork, match="can't be learnt"):
        learnt_threshold(lab, "clip", "tree", silent)
