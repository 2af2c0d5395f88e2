"""Masks of a patch map: the published ones bit for bit, and those that light no other cell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from sae_core.index.masks import paper_mask, strict_mask

MAPS = arrays(np.float32, (5, 7), elements=st.sampled_from([0.0, 1e-6, 1e-5, 0.5, 2.0]))
SIZE = (70, 50)


@given(MAPS)
def test_the_papers_mask_is_the_published_recipe_bit_for_bit(map_RC):
    alpha = Image.fromarray(np.where(map_RC >= 1e-5, 0, 224).astype(np.uint8))
    wanted = np.asarray(alpha.resize(SIZE, Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(paper_mask(map_RC, SIZE), wanted)


@given(MAPS)
def test_the_strict_mask_lights_whole_cells_and_nothing_else(map_RC):
    wanted = np.kron(map_RC > 0, np.ones((10, 10), bool))
    np.testing.assert_array_equal(strict_mask(map_RC, SIZE), wanted)


def test_a_query_lights_all_of_the_picture_since_none_has_a_place():
    map_RC = np.zeros((1, 7), np.float32)
    assert not strict_mask(map_RC, SIZE).any()
    map_RC[0, 3] = 1
    assert strict_mask(map_RC, SIZE).all()
    assert not strict_mask(map_RC, SIZE, 2.0).any()


def test_one_cell_bleeds_in_the_papers_mask_only():
    map_RC = np.zeros((5, 7), np.float32)
    map_RC[2, 3] = 1
    assert strict_mask(map_RC, SIZE).sum() == 100
    assert (paper_mask(map_RC, SIZE) < 224).sum() > 300


@pytest.mark.parametrize(("level", "lit"), [(0.0, 3), (0.25, 2), (0.5, 2), (0.6, 1), (9.0, 0)])
def test_the_strict_mask_starts_at_its_level(level, lit):
    map_RC = np.array([[0, 0.1], [0.5, 1]], np.float32)
    assert strict_mask(map_RC, (2, 2), level).sum() == lit
