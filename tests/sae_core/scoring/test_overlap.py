"""Intersection over union in both modes, and its nulls of equal area."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sae_core.errors import UserError
from sae_core.index.masks import paper_mask
from sae_core.scoring.overlap import Lit, everywhere, iou, on_grid, overlap, overlap_cases, regions

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=7)
MASKS = SHAPES.flatmap(lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape)))
SOME = MASKS.filter(lambda masks: masks[0].any() and masks[1].any())
MODES = ["paper", "strict"]


def map_of(*cells, grid=(6, 6)):
    map_RC = np.zeros(grid, np.float32)
    for row, column in cells:
        map_RC[row, column] = 1
    return map_RC


def pixels_of(map_RC, side=8):
    return np.kron(map_RC > 0, np.ones((side, side), bool))


def scene(count=4):
    """Pictures on each of which the feature fires exactly on what the label finds."""
    maps = [map_of((i % 5, 1), (i % 5, 2), (i % 5 + 1, 1)) for i in range(count)]
    return [Lit(10 + i, one) for i, one in enumerate(maps)], [pixels_of(one) for one in maps]


@given(MASKS)
def test_the_overlap_of_two_masks_is_that_of_the_other_with_the_one(masks):
    assert iou(*masks) == iou(*masks[::-1])
    assert 0 <= iou(*masks) <= 1


@given(SOME)
def test_equal_masks_overlap_wholly_and_disjoint_ones_not_at_all(masks):
    assert iou(masks[0], masks[0]) == 1
    assert iou(masks[0], ~masks[0]) == 0


@given(SOME)
def test_the_null_is_the_overlap_of_every_roll_and_flip_with_all_cells_kept(masks):
    lit, found = masks
    wanted = []
    for flip in (lit, lit[::-1], lit[:, ::-1], lit[::-1, ::-1]):
        rolls = [
            np.roll(flip, (row, column), (0, 1))
            for row in range(lit.shape[0])
            for column in range(lit.shape[1])
        ]
        assert {roll.sum() for roll in rolls} == {lit.sum()}
        wanted += [iou(roll, found) for roll in rolls]
    np.testing.assert_allclose(np.sort(everywhere(lit, found)), np.sort(wanted))


@pytest.mark.parametrize("mode", MODES)
def test_a_right_label_beats_moved_masks_and_shuffled_labels(mode):
    lit, found = scene()
    wrong = [[np.roll(mask, 24, 1) for mask in found], [None] * 4]
    score = overlap(lit, found, mode, shuffled=wrong)
    moved, shuffled = score.nulls
    assert (moved.name, shuffled.name) == ("moved_masks", "shuffled_labels")
    assert score.value > moved.high
    assert moved.p < 0.001
    assert score.value > 5 * shuffled.value
    assert (shuffled.p, shuffled.draws) == (pytest.approx(1 / 3), 2)


def test_strict_mode_scores_one_where_the_papers_bleed_does_not():
    lit, found = scene()
    assert overlap(lit, found, "strict").value == 1
    assert overlap(lit, found, "paper").value < 0.7


def test_the_papers_region_is_what_is_lighter_than_224_at_the_detections_size():
    lit, found = scene(1)
    region = regions(lit[0], found[0], "paper").lit
    np.testing.assert_array_equal(region, paper_mask(lit[0].map_RC, (48, 48)) < 224)


@pytest.mark.parametrize("mode", MODES)
def test_a_label_found_everywhere_is_no_better_than_chance(mode):
    lit, found = scene()
    score = overlap(lit, [np.ones_like(mask) for mask in found], mode)
    assert score.nulls[0].p == 1
    assert score.nulls[0].value == pytest.approx(score.value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("nothing", [None, np.zeros((48, 48), bool)])
def test_a_picture_without_a_detection_counts_zero_and_is_counted(mode, nothing):
    lit, found = scene()
    whole = overlap_cases(lit, found, mode).value_N
    score = overlap(lit, [nothing, *found[1:]], mode)
    assert score.value == pytest.approx(whole[1:].sum() / 4)
    assert (score.undetected, score.n) == (1, 4)


@pytest.mark.parametrize("mode", MODES)
def test_a_label_that_is_never_found_scores_zero_and_beats_nothing(mode):
    score = overlap(scene()[0], [None] * 4, mode)
    assert (score.value, score.undetected, score.nulls[0].p) == (0, 4, 1)


@pytest.mark.parametrize("mode", MODES)
def test_the_order_of_pictures_does_not_matter(mode):
    lit, found = scene()
    found[1], found[2] = np.roll(found[1], 5, 0), None
    wrong = [np.roll(mask, 9, 1) if mask is not None else None for mask in found]
    turned = overlap(lit[::-1], found[::-1], mode, shuffled=[wrong[::-1]])
    assert turned == overlap(lit, found, mode, shuffled=[wrong])


def test_the_level_decides_which_cells_count_in_strict_mode():
    weak = map_of((1, 1), (1, 2))
    weak[1, 2] = 0.2
    found = pixels_of(map_of((1, 1)))
    assert overlap([Lit(0, weak)], [found], "strict").value == 0.5
    assert overlap([Lit(0, weak, level=0.5)], [found], "strict").value == 1


@given(arrays(bool, (4, 5)), st.integers(1, 4), st.integers(1, 4))
def test_a_detection_of_whole_cells_is_those_cells(cells, down, across):
    pixels = np.kron(cells, np.ones((down, across), bool))
    np.testing.assert_array_equal(on_grid(pixels, (4, 5)), cells)


def test_a_cell_belongs_to_a_detection_that_covers_half_of_it():
    pixels = np.zeros((8, 8), bool)
    pixels[:, :6] = True
    assert on_grid(pixels, (2, 2)).all()
    pixels[:, 5] = False
    np.testing.assert_array_equal(on_grid(pixels, (2, 2)), [[True, False]] * 2)


def test_a_thing_smaller_than_half_a_cell_is_the_cell_it_covers_most():
    pixels = np.zeros((8, 8), bool)
    pixels[2, 2:5] = True
    np.testing.assert_array_equal(on_grid(pixels, (2, 2)), [[True, False], [False, False]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("found", [None, np.ones((4, 4), bool)])
def test_a_picture_on_which_the_feature_is_silent_is_refused_by_number(mode, found):
    with pytest.raises(UserError, match="lights nothing on picture 7"):
        overlap([Lit(7, map_of())], [found], mode)


def test_a_mask_that_is_not_boolean_is_refused_by_picture():
    with pytest.raises(UserError, match=r"On picture 10 .* uint8"):
        overlap(scene(1)[0], [np.ones((4, 4), np.uint8)], "strict")
