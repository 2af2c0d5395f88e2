"""Files of pictures that are odd and whole are seen as people see them; others are refused."""

import io

import numpy as np
import pytest
from PIL import Image

from sae_core.pictures.decoding import Unreadable, picture_of

LEFT_WHITE = Image.new("RGB", (60, 40))
LEFT_WHITE.paste("white", (0, 0, 30, 40))
ORIENTATION = 0x112


def saved(picture, kind, **more):
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def brightness(picture):
    """Of the four quarters: top left, top right, bottom left, bottom right."""
    grey_YX = np.asarray(picture.convert("L"), float)
    middle_y, middle_x = (n // 2 for n in grey_YX.shape)
    rows = grey_YX[:middle_y], grey_YX[middle_y:]
    return [round(part.mean()) for row in rows for part in (row[:, :middle_x], row[:, middle_x:])]


@pytest.mark.parametrize(
    ("orientation", "size", "white"),
    [(1, (60, 40), (0, 2)), (3, (60, 40), (1, 3)), (6, (40, 60), (0, 1)), (8, (40, 60), (2, 3))],
)
def test_a_photo_is_upright_however_the_camera_was_held(orientation, size, white):
    beside = Image.Exif()
    beside[ORIENTATION] = orientation
    seen = picture_of(saved(LEFT_WHITE, "jpeg", exif=beside, quality=95))
    assert seen.size == size
    bright = brightness(seen)
    assert all((bright[n] > 200) == (n in white) for n in range(4))


def test_broken_notes_beside_a_picture_leave_it_as_it_is():
    odd = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\xff\xff\0\0\0\0\0\0"
    assert picture_of(saved(LEFT_WHITE, "jpeg", exif=odd)).size == (60, 40)


def test_sixteen_bits_are_scaled_and_not_cut_off():
    """Pillow's own conversion makes everything from 255 of 65535 on white."""
    ramp_YX = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (4, 1))
    seen = picture_of(saved(Image.fromarray(ramp_YX), "png"))
    assert (np.diff(np.asarray(seen)[0, :, 0].astype(int)) == 1).all()


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "1", "YCbCr"])
def test_every_way_to_write_colours_is_seen_alike(mode):
    kind = "jpeg" if mode in ("CMYK", "YCbCr") else "png"
    seen = picture_of(saved(LEFT_WHITE.convert(mode), kind))
    assert seen.mode == "RGB"
    assert [n > 200 for n in brightness(seen)] == [True, False, True, False]


def test_a_palette_with_shares_of_transparency_is_seen_without_a_warning():
    data = saved(LEFT_WHITE.convert("P"), "png", transparency=bytes([0, 255]))
    assert picture_of(data).size == (60, 40)


def test_the_first_frame_stands_for_a_moving_picture():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    data = saved(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert brightness(picture_of(data)) == [255] * 4


def test_one_pixel_is_a_picture():
    assert picture_of(saved(Image.new("RGB", (1, 1), "red"), "png")).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"hello\n", "identify"),
        (saved(LEFT_WHITE, "jpeg")[:-20], "truncated"),
        (saved(Image.new("F", (4, 4), 0.5), "tiff"), "32 bits"),
    ],
)
def test_what_is_no_whole_picture_is_refused_with_a_reason(data, why):
    with pytest.raises(Unreadable, match=why):
        picture_of(data)
