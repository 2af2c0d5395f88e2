"""Pictures that people bring: refused by name, or converted where that is asked for."""

import contextlib
import gc
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from sae_core.errors import UserError
from toybox.pictures import open_picture
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

SIZE = 96


@pytest.fixture
def drawn() -> Image.Image:
    return draw_scene(fresh_scene(1)).image()


def _saved(picture: Image.Image, folder: Path, name: str = "picture.png") -> Path:
    path = folder / name
    picture.save(path)
    return path


def _refusal(path: Path, **options: bool) -> str:
    """The message with which a path is refused; it always names the path, in one line."""
    with pytest.raises(UserError) as caught:
        open_picture(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def test_a_picture_of_the_right_size_and_mode_is_opened_as_it_is(drawn, tmp_path):
    path = _saved(drawn, tmp_path)
    np.testing.assert_array_equal(open_picture(path), drawn)


@pytest.mark.parametrize("fit", [False, True])
def test_a_missing_file_is_named(tmp_path, fit):
    assert "No picture" in _refusal(tmp_path / "none.png", fit=fit)


@pytest.mark.parametrize("fit", [False, True])
def test_a_folder_is_named_as_a_folder(tmp_path, fit):
    assert "folder" in _refusal(tmp_path, fit=fit)


@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize("content", [b"", b"just some words\n", bytes(range(256)) * 4])
def test_a_file_that_is_no_picture_is_named_whatever_it_is_called(tmp_path, content, fit):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    assert "not a picture" in _refusal(path, fit=fit)


@pytest.mark.parametrize("kept", [20, 40, 200, 0.5, 0.9])
def test_a_truncated_picture_is_named(drawn, tmp_path, kept):
    path = _saved(drawn, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if isinstance(kept, float) else kept])
    _refusal(path, fit=True)


@pytest.mark.parametrize("name", ["png", "jpg", "gif", "bmp", "webp", "avif"])
def test_a_damaged_picture_is_opened_or_named_but_never_ends_in_a_traceback(drawn, tmp_path, name):
    """Decoders report damage in many ways: AVIF's raises RuntimeError, where others use OSError."""
    if name in ("avif", "webp") and not features.check(name):
        pytest.skip(f"this Pillow reads no {name}")
    path = _saved(drawn, tmp_path, f"picture.{name}")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(len(whole), size=4)] = rng.integers(256, size=4)
        path.write_bytes(damaged.tobytes())
        with contextlib.suppress(UserError):
            open_picture(path, fit=True)


def test_a_refused_picture_is_closed(drawn, tmp_path):
    """An open handle is a ResourceWarning in whoever opens many pictures, and locks the file."""
    path = _saved(drawn, tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _refusal(path)
        gc.collect()
    assert [str(w.message) for w in caught if str(path) in str(w.message)] == []


@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (60_000, 60_000)])
def test_a_picture_that_claims_a_huge_size_is_refused_before_it_is_decoded(
    tmp_path, width, height, fit
):
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as users run it: Pillow alone would only warn
        assert "too large" in _refusal(path, fit=fit)


@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (15, 96), (96, 1)])
def test_a_tiny_picture_is_refused_even_where_it_could_be_enlarged(tmp_path, size, fit):
    path = _saved(Image.new("RGB", size), tmp_path)
    assert f"{size[0]} x {size[1]} pixels" in _refusal(path, fit=fit)


@pytest.mark.parametrize("size", [(95, 96), (96, 97), (640, 480), (16, 16)])
def test_another_size_is_named_with_the_option_that_converts_it(drawn, tmp_path, size):
    message = _refusal(_saved(drawn.resize(size), tmp_path))
    assert f"{size[0]} x {size[1]}" in message
    assert "--fit" in message


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_another_mode_is_named_with_the_option_that_converts_it(drawn, tmp_path, mode):
    picture = Image.new("I;16", drawn.size) if mode == "I;16" else drawn.convert(mode)
    message = _refusal(_saved(picture, tmp_path))
    assert f"mode {mode}" in message
    assert "--fit" in message


@pytest.mark.parametrize("size", [(96, 96), (16, 16), (300, 200)])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_fit_makes_every_size_and_mode_a_picture_that_the_models_know(drawn, tmp_path, mode, size):
    path = _saved(drawn.resize(size).convert(mode), tmp_path)
    opened = open_picture(path, fit=True)
    assert (opened.size, opened.mode) == ((SIZE, SIZE), "RGB")


def test_fit_keeps_what_a_picture_of_another_size_shows(drawn, tmp_path):
    path = _saved(drawn.resize((288, 288), Image.Resampling.NEAREST), tmp_path)
    off = np.abs(np.asarray(open_picture(path, fit=True), int) - np.asarray(drawn, int))
    assert off.mean() < 8


def test_fit_keeps_the_brightness_of_a_grey_picture(drawn, tmp_path):
    grey = drawn.convert("L")
    opened = np.asarray(open_picture(_saved(grey, tmp_path), fit=True))
    np.testing.assert_array_equal(opened, np.stack([grey] * 3, axis=-1))


def test_fit_keeps_the_brightness_of_a_grey_picture_of_16_bits(drawn, tmp_path):
    """Pillow clips 16 bits to 8, so that nearly every picture comes out white."""
    grey = np.asarray(drawn.convert("L"))
    path = _saved(Image.fromarray(grey.astype(np.uint16) * 257), tmp_path)
    opened = np.asarray(open_picture(path, fit=True), int)
    assert np.abs(opened - grey[..., None]).max() <= 1


def test_fit_keeps_the_colours_of_a_palette(tmp_path):
    picture = Image.new("P", (SIZE, SIZE), 1)
    picture.putpalette([0, 0, 0, 200, 30, 60])
    opened = np.asarray(open_picture(_saved(picture, tmp_path), fit=True))
    assert {tuple(pixel) for row in opened.tolist() for pixel in row} == {(200, 30, 60)}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_fit_puts_a_white_wall_behind_what_is_transparent(tmp_path, mode):
    picture = Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 0)).convert(mode)
    path = tmp_path / "clear.png"
    picture.save(path, **({"transparency": picture.getpixel((0, 0))} if mode == "P" else {}))
    assert np.asarray(open_picture(path, fit=True)).min() == 255
