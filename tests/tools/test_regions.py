"""Regions moved elsewhere: equally large, apart where there is room, honest where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sae_core.errors import UserError
from tools.regions import Box, box_of, elsewhere

REGIONS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)).filter(np.any)
SEEDS = st.integers(0, 2**20)


def block(height, width, box):
    region = np.zeros((height, width), bool)
    region[box.top : box.bottom, box.left : box.right] = True
    return region


def every_roll(region):
    height, width = region.shape
    return [np.roll(region, (y, x), (0, 1)) for y in range(height) for x in range(width)]


@given(REGIONS, SEEDS)
def test_the_moved_region_is_a_roll_with_the_least_possible_overlap(region, seed):
    moved, overlap, move = elsewhere(region, seed)
    rolls = every_roll(region)
    assert (moved == np.roll(region, move, (0, 1))).all()
    assert overlap == (moved & region).sum() == min((roll & region).sum() for roll in rolls)


@given(SEEDS)
def test_a_compact_region_stays_in_one_piece_where_there_is_room(seed):
    box = box_of(elsewhere(block(20, 20, Box(8, 8, 12, 12)), seed).region)
    assert (box.right - box.left, box.bottom - box.top) == (4, 4)


def test_without_room_the_overlap_is_said():
    assert elsewhere(np.ones((3, 4), bool), 0).overlap == 12
    assert elsewhere(block(4, 4, Box(0, 0, 4, 3)), 0).overlap == 8


@given(SEEDS)
def test_moves_are_multiples_of_a_patchs_sides(seed):
    moved = elsewhere(block(12, 20, Box(10, 4, 15, 8)), seed, step=(5, 4)).region
    assert np.array_equal(moved, np.kron(moved[::4, ::5], np.ones((4, 5), bool)))


def test_many_seeds_reach_many_places():
    region = block(8, 8, Box(0, 0, 2, 2))
    assert len({elsewhere(region, seed).region.tobytes() for seed in range(40)}) > 15


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (np.zeros((3, 3), bool), "The region is empty"),
        (np.ones((3, 3), np.uint8), "The region is uint8"),
    ],
)
def test_what_is_no_region_is_refused_by_name(region, said):
    with pytest.raises(UserError, match=said):
        elsewhere(region, 0)
