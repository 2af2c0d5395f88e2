"""A threshold is learnt where it does best, and on the explore split alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.oracles import OracleClip, OracleGrounder
from tools import panel
from tools.claims import parse
from tools.failures import WontWork
from tools.foretelling import HALF, best_threshold, calibrated, composed, fitted, foretold, learnt

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
    assert foretold(lab, "grounder", "unicorn", "explore", [0]) == [0]


def test_validate_pictures_have_no_part_in_the_threshold(make_lab, world, feature_of):
    explore = {"explore": world.pictures["explore"]}
    lab = make_lab(clip=OracleClip(), pictures=explore)
    feature = feature_of("tree")
    with pytest.raises(WontWork):
        lab.pictures("validate")
    assert 0 < learnt(lab, "clip", "tree", feature).threshold < 1


def test_a_feature_silent_in_explore_has_no_threshold(make_lab, world):
    lab = make_lab(clip=OracleClip())
    index = world.indexes["explore"]
    silent = next(f for f in range(index.features) if not index.feature(f).fires_on)
    with pytest.raises(WontWork, match="can't be learnt"):
        learnt(lab, "clip", "tree", silent)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0.01, 0.99))
def test_calibrating_keeps_the_order_and_puts_the_cut_at_a_half(sure, cut):
    sure_N = np.sort(sure)
    told_N = calibrated(sure_N, cut)
    assert (np.diff(told_N) >= 0).all()
    assert calibrated(np.array([cut]), cut) == pytest.approx([HALF])
    assert ((told_N >= 0) & (told_N <= 1)).all()


def test_each_concept_of_a_claim_gets_a_cut_of_its_own():
    """One detector is sure from 0.2 on and the other from 0.9: no common threshold would do."""
    hat_N = np.array([0.1, 0.3, 0.3, 0.3, 0.1, 0.3])
    beach_N = np.array([0.95, 0.95, 0.8, 0.95, 0.8, 0.8])
    for label, firing in (
        ("hat together with a beach", [0, 1, 0, 1, 0, 0]),
        ("hat without a beach", [0, 0, 1, 0, 0, 1]),
    ):
        claim, sure = parse(label), {"hat": hat_N, "a beach": beach_N}
        fires_N = np.array(firing, bool)
        cuts = fitted(claim, sure, fires_N)
        assert ((composed(claim, sure, cuts) >= HALF) == fires_N).all()


@pytest.mark.parametrize("rule", ["or", "and", "and not"])
def test_a_right_claim_foretells_firing_on_pictures_it_was_not_learnt_on(make_lab, world, rule):
    lab = make_lab(grounder=OracleGrounder(), clip=OracleClip())
    rates_F = world.indexes["explore"].picture_rates()
    of_rule = [f for f, one in enumerate(world.observer.planted) if one.rule == rule]
    feature = max(of_rule, key=lambda f: rates_F[f])
    label = world.observer.planted[feature].label
    threshold, cuts = learnt(lab, "grounder", label, feature)
    numbers = range(60)
    told_N = foretold(lab, "grounder", label, "validate", numbers, cuts)
    assert (told_N >= threshold).tolist() == panel.fires(lab, "validate", numbers, feature).tolist()
