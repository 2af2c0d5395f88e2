"""Highlighted pictures: active cells as they were, the rest under as much black as published."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sae_core.masks import highlighted, shade_of

SHAPES = st.tuples(st.integers(2, 7), st.integers(1, 7))
FACTORS = st.tuples(st.integers(2, 9), st.integers(2, 9))
GRIDS = [(1, 1), (12, 12), (3, 5), (5, 3), (1, 8)]


def _picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _between(cells: np.ndarray, size: int) -> np.ndarray:
    """Cells along the first axis, drawn linearly between their centres and level beyond them."""
    at = (np.arange(size) + 0.5) * len(cells) / size - 0.5
    at = at.clip(0, len(cells) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(cells) - 1)
    share = (at - low)[:, None]
    return cells[low] * (1 - share) + cells[high] * share


@pytest.mark.parametrize("grid", GRIDS)
def test_a_picture_whose_cells_are_all_active_is_unchanged(grid):
    picture = _picture(48, 60)
    np.testing.assert_array_equal(highlighted(picture, np.ones(grid, bool)), picture)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_picture_without_active_cells_keeps_31_parts_in_255(grid):
    picture = _picture(48, 60)
    wanted = np.round(picture * (31 / 255)).astype(np.uint8)
    np.testing.assert_array_equal(highlighted(picture, np.zeros(grid, bool)), wanted)


@given(SHAPES, FACTORS, st.integers(0, 2**20))
def test_the_shade_runs_linearly_from_cell_to_cell(shape, factors, seed):
    active = np.random.default_rng(seed).random(shape) < 0.5
    height, width = shape[0] * factors[0], shape[1] * factors[1]
    cells = np.where(active, 0.0, 224.0)
    wanted = _between(_between(cells, height).T, width).T
    shade = shade_of(active, (width, height))
    assert shade.shape == (height, width)
    np.testing.assert_allclose(shade, wanted, rtol=0, atol=1.01)


@pytest.mark.parametrize("grid", [(2, 3), (3, 2), (4, 7)])
def test_the_middle_of_an_active_cell_is_lit_at_its_own_row_and_column(grid):
    rows, columns = grid
    for row in range(rows):
        for column in range(columns):
            active = np.zeros(grid, bool)
            active[row, column] = True
            shade = shade_of(active, (columns * 9, rows * 9))
            assert shade[row * 9 + 4, column * 9 + 4] == 0
            assert (np.argwhere(shade == 0) // 9 == [row, column]).all()


def test_a_highlighted_picture_is_as_dark_as_its_shade():
    picture, active = _picture(36, 24), np.zeros((3, 2), bool)
    active[1, 0] = True
    light = 1 - shade_of(active, (24, 36))[..., None] / 255
    np.testing.assert_allclose(highlighted(picture, active), picture * light, rtol=0, atol=0.51)


def test_queries_without_a_place_light_all_of_the_picture_or_nothing():
    """A Q-Former's cells are one row: the picture must not be cut into stripes by them."""
    picture, active = _picture(36, 24), np.zeros((1, 8), bool)
    active[0, 3] = True
    np.testing.assert_array_equal(highlighted(picture, active), picture)


def test_the_picture_given_is_left_as_it_was():
    picture = _picture(24, 24)
    before = picture.copy()
    highlighted(picture, np.zeros((3, 3), bool))
    np.testing.assert_array_equal(picture, before)
