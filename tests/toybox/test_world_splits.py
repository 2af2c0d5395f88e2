"""The frozen splits: unchanged, disjoint, and apart from what a person draws."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.errors import UserError
from toybox.world_splits import FRESH_STREAM, SPLITS, fresh_scene, frozen_hashes, split

SIZES = {
    "train": 120_000,
    "train-balanced": 80_000,
    "explore": 8_192,
    "validate": 4_096,
    "validate-conflict": 1_024,
    "test": 4_096,
    "test-conflict": 1_024,
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_has_the_scenes_that_were_frozen(name):
    assert split(name).digest() == frozen_hashes()[name], (
        f"the split {name} no longer holds the scenes that the shipped models were trained and "
        "measured on; retrain and measure again before freezing new hashes in toybox/splits.json"
    )


def test_every_frozen_hash_belongs_to_a_split():
    assert set(frozen_hashes()) == set(SPLITS)


def test_splits_have_their_sizes():
    assert {name: one.size for name, one in SPLITS.items()} == SIZES


def test_a_split_yields_as_many_scenes_as_its_size():
    assert sum(1 for _ in split("test-conflict").scenes()) == SIZES["test-conflict"]


def test_no_split_shares_its_stream_with_another_or_with_fresh_scenes():
    streams = [one.stream for one in SPLITS.values()]
    assert len({*streams, FRESH_STREAM}) == len(streams) + 1


def test_no_scene_is_in_two_splits_or_fresh():
    drawn = {name: {one.scene(i).digest() for i in range(200)} for name, one in SPLITS.items()}
    drawn["fresh"] = {fresh_scene(i).digest() for i in range(200)}
    shared = [(a, b) for a, b in itertools.combinations(drawn, 2) if drawn[a] & drawn[b]]
    assert shared == []


@pytest.mark.parametrize("index", [-1, 1_024, 10**9])
def test_an_index_outside_of_a_split_is_named_with_the_range(index):
    with pytest.raises(UserError, match=rf"No picture {index} in the split test-conflict.*1023"):
        split("test-conflict").scene(index)


def test_an_unknown_split_is_named_with_those_that_exist():
    with pytest.raises(UserError, match=r"'tests'.*validate-conflict"):
        split("tests")


def test_a_negative_seed_is_named():
    with pytest.raises(UserError, match="-3"):
        fresh_scene(-3)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 10_000))
def test_fresh_scenes_of_two_seeds_differ(one, other, index):
    same = fresh_scene(one, index) == fresh_scene(other, index)
    assert same == (one == other)


def test_a_seed_beyond_32_bits_does_not_repeat_pictures_of_a_small_one():
    """Numpy cuts long seeds into 32-bit words: seed 5 + 3 * 2**32 ran into seed 5, index 3."""
    assert fresh_scene(5 + 3 * 2**32, 0) != fresh_scene(5, 3)
