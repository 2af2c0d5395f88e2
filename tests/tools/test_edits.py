"""Edits change what they name, inside of the region, and nothing else."""

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sae_core.errors import UserError
from tools.edits import MODES, Edit, changed, transplanted

IN_PLACE = [edit for edit in Edit if edit is not Edit.MIRROR]
MODE = st.sampled_from(MODES)
SEEDS = st.integers(0, 2**20)


def picture_of(mode="RGB", width=24, height=18, seed=0):
    rng = np.random.default_rng(seed)
    rgba = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture = Image.fromarray(rgba if mode == "RGBA" else rgba[..., :3]).convert(mode)
    picture.info = {"caption": "a red ball", "dpi": (72, 72)}
    return picture


def box_region(left=6, top=4, right=16, bottom=14, width=24, height=18):
    region = np.zeros((height, width), bool)
    region[top:bottom, left:right] = True
    return region


def ragged_region(seed, width=24, height=18):
    region = np.random.default_rng(seed).random((height, width)) < 0.4
    region[:2] = False
    region[5, 5:7] = True
    return region


@given(st.sampled_from(IN_PLACE), MODE, SEEDS)
def test_pixels_outside_of_the_region_are_identical(edit, mode, seed):
    picture, region = picture_of(mode, seed=seed), ragged_region(seed)
    after = changed(picture, region, edit, seed)
    same = np.asarray(after.picture) == np.asarray(picture)
    assert same[~region].all()
    np.testing.assert_array_equal(after.region, region)


@given(st.sampled_from(Edit), MODE, SEEDS)
def test_size_mode_metadata_and_the_picture_given_stay(edit, mode, seed):
    picture, region = picture_of(mode), box_region()
    before = picture.copy()
    after = changed(picture, region, edit, seed).picture
    assert (after.size, after.mode, after.info) == (before.size, before.mode, before.info)
    assert after.info is not picture.info
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(before))


@given(st.sampled_from(Edit), SEEDS)
def test_the_same_seed_makes_the_same_picture(edit, seed):
    one, two = (changed(picture_of(), box_region(), edit, seed) for _ in range(2))
    np.testing.assert_array_equal(np.asarray(one.picture), np.asarray(two.picture))


@pytest.mark.parametrize("edit", [Edit.OCCLUDE_NOISE, Edit.RECOLOUR, Edit.SHUFFLE])
def test_another_seed_makes_another_picture(edit):
    made = {changed(picture_of(), box_region(), edit, seed).picture.tobytes() for seed in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize("edit", list(Edit))
def test_every_edit_changes_a_colourful_region(edit):
    after = changed(picture_of(), box_region(), edit).picture
    moved = np.asarray(after) != np.asarray(picture_of())
    assert moved.any(2)[box_region()].mean() > 0.5


@pytest.mark.parametrize("edit", list(Edit))
@pytest.mark.parametrize(
    ("region", "said"),
    [
        (np.zeros((18, 24), bool), "The region is empty"),
        (np.ones((24, 18), bool), r"bool \(24, 18\).*18 high and 24 wide"),
        (np.ones((18, 24), int), "The region is int"),
    ],
)
def test_an_empty_region_or_one_of_another_size_is_refused_by_name(edit, region, said):
    with pytest.raises(UserError, match=said):
        changed(picture_of(), region, edit)


def test_a_mode_without_colours_of_its_own_is_refused_by_name():
    with pytest.raises(UserError, match="mode P can't be changed"):
        changed(picture_of().convert("P"), box_region(), Edit.BLUR)


def test_occlusion_takes_the_mean_colour_of_what_surrounds_the_region():
    pixels = np.zeros((18, 24, 3), np.uint8)
    pixels[:, :11], pixels[:, 11:] = (10, 0, 200), (30, 100, 0)
    pixels[box_region()] = 255
    after = changed(Image.fromarray(pixels), box_region(), Edit.OCCLUDE).picture
    np.testing.assert_array_equal(np.asarray(after)[box_region()], [[20, 50, 100]] * 100)


def test_a_region_that_nothing_surrounds_is_refused():
    with pytest.raises(UserError, match="nothing surrounds it"):
        changed(picture_of(), np.ones((18, 24), bool), Edit.OCCLUDE)


@given(SEEDS)
def test_recolouring_turns_hues_and_keeps_how_light_they_are(seed):
    red = Image.new("RGB", (24, 18), (200, 20, 20))
    after = np.asarray(changed(red, box_region(), Edit.RECOLOUR, seed).picture)[8, 10] / 255
    hue, _, value = colorsys.rgb_to_hsv(*after)
    assert 1 / 6 - 0.01 <= hue <= 5 / 6 + 0.01
    assert value == pytest.approx(200 / 255, abs=0.01)


def test_greying_leaves_no_colour_and_the_same_brightness():
    after = changed(picture_of(), box_region(), Edit.GREY).picture
    inside = np.asarray(after)[box_region()]
    assert (inside == inside[:, :1]).all()
    np.testing.assert_array_equal(inside[:, 0], np.asarray(picture_of().convert("L"))[box_region()])


def test_blurring_makes_the_region_smoother():
    before, after = picture_of(), changed(picture_of(), box_region(), Edit.BLUR).picture
    assert np.asarray(after)[box_region()].std() < np.asarray(before)[box_region()].std() / 2


@given(SEEDS)
def test_a_shuffled_texture_keeps_its_pixels(seed):
    region = ragged_region(seed)
    after = changed(picture_of(), region, Edit.SHUFFLE, seed).picture
    pixels = [sorted(map(tuple, np.asarray(one)[region])) for one in (picture_of(), after)]
    assert pixels[0] == pixels[1]


def test_one_pixel_has_no_texture_to_shuffle():
    with pytest.raises(UserError, match="one pixel"):
        changed(picture_of(), box_region(3, 3, 4, 4), Edit.SHUFFLE)


def test_mirroring_moves_the_region_with_the_picture():
    picture, region = picture_of(), box_region(2, 3, 7, 8)
    after = changed(picture, region, Edit.MIRROR)
    np.testing.assert_array_equal(np.asarray(after.picture)[:, ::-1], np.asarray(picture))
    np.testing.assert_array_equal(after.region[:, ::-1], region)


@given(SEEDS, MODE, MODE, st.integers(0, 6), st.integers(0, 10))
def test_a_transplant_brings_the_regions_pixels_and_nothing_else(seed, mode, other, left, top):
    picture, into = picture_of(mode), picture_of(other, 30, 28, seed + 1)
    region = ragged_region(seed)
    ys, xs = np.nonzero(region)
    after = transplanted(picture, region, into, (left, top))
    wanted = np.zeros((28, 30), bool)
    wanted[ys - ys.min() + top, xs - xs.min() + left] = True
    np.testing.assert_array_equal(after.region, wanted)
    assert (after.picture.mode, after.picture.info) == (other, into.info)
    assert (np.asarray(after.picture) == np.asarray(into))[~wanted].all()
    given_colours = np.asarray(picture.convert("RGB").convert("L" if other == "L" else "RGB"))
    got = np.asarray(after.picture.convert("L" if other == "L" else "RGB"))
    np.testing.assert_array_equal(got[wanted], given_colours[region])


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (15, 0), (0, 9)])
def test_a_transplant_that_reaches_out_of_the_picture_is_refused(place):
    with pytest.raises(UserError, match="reaches out of a picture of 24 x 18"):
        transplanted(picture_of(), box_region(), picture_of(), place)
