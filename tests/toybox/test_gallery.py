"""The contact sheet: the pictures that were asked for, on a sheet of the right size."""

import numpy as np
import pytest
from PIL import Image

from sae_core.errors import UserError
from toybox.gallery import MARGIN, ZOOM, highlight, write_gallery
from toybox.vocabulary import concept
from toybox.world import SIZE, edit
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

CARD = (506, 240)
PLAIN_CARD = (192, 240)


def _opened(path) -> Image.Image:
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        return sheet.convert("RGB")


@pytest.mark.parametrize(
    ("n", "masks", "columns", "rows"),
    [(1, True, 1, 1), (3, True, 3, 1), (4, True, 3, 2), (6, False, 6, 1), (7, False, 6, 2)],
)
def test_a_sheet_has_room_for_every_picture_and_no_more(tmp_path, n, masks, columns, rows):
    path = write_gallery(tmp_path / "sheet.png", n=n, masks=masks)
    width, height = CARD if masks else PLAIN_CARD
    wanted = columns * (width + MARGIN) + MARGIN, rows * (height + MARGIN) + MARGIN
    assert _opened(path).size == wanted


def test_a_sheet_shows_the_pictures_from_its_seed_on(tmp_path):
    sheet = np.asarray(_opened(write_gallery(tmp_path / "sheet.png", seed=5, n=2)))
    for column, seed in enumerate((5, 6)):
        left = MARGIN + column * (CARD[0] + MARGIN)
        shown = sheet[MARGIN : MARGIN + SIZE * ZOOM, left : left + SIZE * ZOOM]
        big = np.kron(draw_scene(fresh_scene(seed)).pixels_HW3, np.ones((ZOOM, ZOOM, 1)))
        np.testing.assert_array_equal(shown[20:], big[20:])  # the number stands above


def test_masks_stand_beside_their_picture_only_where_asked_for(tmp_path):
    with_masks = _opened(write_gallery(tmp_path / "a.png", n=1))
    without = _opened(write_gallery(tmp_path / "b.png", n=1, masks=False))
    assert with_masks.width > without.width


def test_a_seed_gives_the_same_sheet_again(tmp_path):
    one = _opened(write_gallery(tmp_path / "a.png", seed=2, n=2))
    other = _opened(write_gallery(tmp_path / "b.png", seed=2, n=2))
    np.testing.assert_array_equal(one, other)


def test_missing_folders_are_made_on_the_way(tmp_path):
    path = write_gallery(tmp_path / "new" / "deep" / "sheet.PNG", n=1)
    assert path.is_file()


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet", "sheet.png.txt"])
def test_a_name_that_is_no_png_is_refused_and_nothing_is_written(tmp_path, name):
    with pytest.raises(UserError, match=name):
        write_gallery(tmp_path / name, n=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n", [-1, 0, 401])
def test_a_number_out_of_range_is_refused_with_the_range(tmp_path, n):
    with pytest.raises(UserError, match=f"1 to 400 pictures, not {n}"):
        write_gallery(tmp_path / "sheet.png", n=n)


def test_a_negative_seed_is_refused(tmp_path):
    with pytest.raises(UserError, match="-1"):
        write_gallery(tmp_path / "sheet.png", seed=-1, n=1)


def test_a_path_below_a_file_is_refused_by_name(tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "sheet.png"
    with pytest.raises(UserError, match=str(path)):
        write_gallery(path, n=1)


def test_a_folder_in_place_of_the_sheet_is_refused_by_name(tmp_path):
    path = tmp_path / "sheet.png"
    path.mkdir()
    with pytest.raises(UserError, match=str(path)):
        write_gallery(path, n=1)


def test_a_highlight_keeps_the_concept_and_dims_the_rest():
    picture = draw_scene(edit(fresh_scene(1), "0.kind", "car"))
    mask = picture.mask("object:car")
    lit = np.asarray(highlight(picture, concept("object:car")))
    np.testing.assert_array_equal(lit[mask], picture.pixels_HW3[mask])
    assert lit[~mask].max() <= 255 / 4
