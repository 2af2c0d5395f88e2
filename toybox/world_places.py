"""The eight scenes of the toybox, drawn as quiet backgrounds that things stand out from.

Knows places only. Colours stay pale or greyish, so that a background is never mistaken for a tint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

Draw = ImageDraw.ImageDraw
Paint = tuple[int, int, int]


def _jitter(rng: np.random.Generator, paint: Paint, by: int = 9) -> Paint:
    shifted = np.array(paint) + rng.integers(-by, by + 1, 3)
    red, green, blue = (int(c) for c in np.clip(shifted, 0, 255))
    return red, green, blue


def _gradient(image: Image.Image, top: Paint, bottom: Paint, start: int, end: int) -> None:
    share = np.linspace(0, 1, end - start)[:, None, None]
    column = np.clip(np.array(top) * (1 - share) + np.array(bottom) * share, 0, 255)
    band = np.broadcast_to(column, (end - start, image.width, 3)).astype(np.uint8)
    image.paste(Image.fromarray(band), (0, start))


def _cloud(draw: Draw, x: int, y: int, paint: Paint) -> None:
    for dx, dy, r in ((-7, 1, 4), (-1, -1, 6), (6, 1, 4)):
        draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), fill=paint)


def _beach(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    shore, horizon = int(rng.integers(54, 60)), int(rng.integers(34, 40))
    _gradient(image, _jitter(rng, (176, 214, 238)), (226, 240, 246), 0, horizon)
    _cloud(draw, int(rng.integers(8, 88)), int(rng.integers(8, 22)), (250, 252, 252))
    _gradient(image, _jitter(rng, (112, 178, 200)), (164, 212, 218), horizon, shore)
    for _ in range(7):
        x, y = int(rng.integers(0, size - 8)), int(rng.integers(horizon + 2, shore - 2))
        draw.line((x, y, x + 6, y), fill=(214, 238, 240))
    sand = _jitter(rng, (236, 216, 170))
    wave = [(x, shore + 1.5 * np.sin(x / 7 + rng.random() / 5)) for x in range(0, size + 4, 4)]
    draw.polygon([*wave, (size, size), (0, size)], fill=sand)
    draw.line(wave, fill=(250, 248, 236), width=2)
    for _ in range(22):
        x, y = int(rng.integers(0, size)), int(rng.integers(shore + 4, size))
        draw.point((x, y), fill=(206, 182, 138))


def _forest(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    _gradient(image, _jitter(rng, (196, 214, 200)), (150, 178, 152), 0, size)
    for layer, paint in enumerate(((140, 168, 144), (112, 142, 118))):
        paint = _jitter(rng, paint, 6)
        for x in range(int(rng.integers(-8, 2)), size + 8, 15 - 3 * layer):
            x += int(rng.integers(-2, 3))
            foot, top = 66 + 8 * layer, int(rng.integers(8, 22)) + 14 * layer
            for step in range(3):
                y = top + step * (foot - top) / 4
                half = 4 + 2.4 * step
                points = [
                    (x, y),
                    (x - half, y + (foot - top) / 2.4),
                    (x + half, y + (foot - top) / 2.4),
                ]
                draw.polygon(points, fill=paint)
    draw.rectangle((0, 72, size, size), fill=_jitter(rng, (124, 128, 96), 6))
    for _ in range(30):
        x, y = int(rng.integers(0, size)), int(rng.integers(74, size))
        draw.line((x, y, x + 1, y - 3), fill=(94, 108, 76))


def _city(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    _gradient(image, _jitter(rng, (198, 206, 222)), (230, 226, 222), 0, 68)
    x = int(rng.integers(-8, 0))
    while x < size:
        width, top = int(rng.integers(11, 18)), int(rng.integers(10, 40))
        wall = _jitter(rng, (158, 160, 176), 12)
        draw.rectangle((x, top, x + width - 2, 68), fill=wall)
        lit = tuple(c + 42 for c in wall)
        for y in range(top + 3, 64, 6):
            for column in range(x + 2, x + width - 4, 4):
                draw.rectangle((column, y, column + 1, y + 2), fill=lit)
        x += width
    draw.rectangle((0, 68, size, 73), fill=_jitter(rng, (206, 202, 196), 5))
    draw.rectangle((0, 74, size, size), fill=_jitter(rng, (140, 140, 146), 6))
    for x in range(int(rng.integers(-12, 0)), size, 18):
        draw.rectangle((x, 84, x + 9, 86), fill=(226, 224, 214))


def _kitchen(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    image.paste(_jitter(rng, (232, 236, 230)), (0, 0, size, size))
    grout = (206, 214, 208)
    for at in range(int(rng.integers(0, 12)), size, 12):
        draw.line((at, 0, at, 58), fill=grout)
    for at in range(int(rng.integers(0, 12)), 58, 12):
        draw.line((0, at, size, at), fill=grout)
    wood = _jitter(rng, (196, 172, 140), 8)
    draw.rectangle((0, 56, size, 61), fill=(120, 112, 108))
    draw.rectangle((0, 62, size, size), fill=wood)
    for x in range(int(rng.integers(-20, 0)), size, 32):
        draw.rectangle((x, 65, x + 29, size - 3), outline=(160, 134, 104))
        draw.rectangle((x + 12, 68, x + 18, 69), fill=(120, 100, 84))


def _bedroom(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    wall = _jitter(rng, (216, 204, 222), 8)
    image.paste(wall, (0, 0, size, size))
    for x in range(int(rng.integers(0, 10)), size, 10):
        draw.rectangle((x, 0, x + 4, 64), fill=tuple(c - 12 for c in wall))
    left = int(rng.choice((6, 58)))
    draw.rectangle((left, 6, left + 30, 34), fill=(246, 244, 240))
    draw.rectangle((left + 3, 9, left + 27, 31), fill=_jitter(rng, (112, 124, 158)))
    draw.line((left + 15, 9, left + 15, 31), fill=(246, 244, 240), width=2)
    draw.rectangle((0, 64, size, 67), fill=(240, 236, 232))
    draw.rectangle((0, 68, size, size), fill=_jitter(rng, (182, 152, 128), 7))
    for y in range(74, size, 7):
        draw.line((0, y, size, y), fill=(158, 128, 106))
    x = int(rng.integers(20, 76))
    draw.ellipse((x - 30, 78, x + 30, 94), fill=_jitter(rng, (206, 190, 196), 8))


def _desert(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    _gradient(image, _jitter(rng, (250, 222, 190)), (252, 238, 214), 0, 60)
    x = int(rng.integers(10, 86))
    draw.ellipse((x - 8, 6, x + 8, 22), fill=(255, 250, 232))
    for base, paint in ((44, (230, 190, 146)), (58, (218, 172, 124)), (74, (206, 156, 108))):
        phase, swing = rng.random() * 6, 4 + 4 * rng.random()
        ridge = [(x, base + swing * np.sin(x / 15 + phase)) for x in range(0, size + 4, 4)]
        draw.polygon([*ridge, (size, size), (0, size)], fill=_jitter(rng, paint, 6))
    for _ in range(8):
        x, y = int(rng.integers(0, size - 10)), int(rng.integers(80, size))
        draw.line((x, y, x + 8, y), fill=(184, 134, 90))


def _snow(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    _gradient(image, _jitter(rng, (168, 186, 208)), (214, 224, 236), 0, 60)
    x = int(rng.integers(-10, 30))
    while x < size + 20:
        top, half = int(rng.integers(22, 40)), int(rng.integers(18, 28))
        draw.polygon(
            [(x, top), (x - half, 62), (x + half, 62)], fill=_jitter(rng, (144, 156, 178), 5)
        )
        draw.polygon(
            [(x, top), (x - 6, top + 9), (x, top + 7), (x + 6, top + 9)], fill=(246, 250, 252)
        )
        x += int(rng.integers(26, 40))
    for base, paint in ((56, (226, 234, 244)), (70, (244, 248, 252))):
        phase = rng.random() * 6
        ridge = [(x, base + 3 * np.sin(x / 18 + phase)) for x in range(0, size + 4, 4)]
        draw.polygon([*ridge, (size, size), (0, size)], fill=paint)
    for _ in range(34):
        x, y = int(rng.integers(0, size)), int(rng.integers(0, size))
        draw.rectangle((x, y, x + 1, y + 1), fill=(255, 255, 255) if y < 56 else (206, 218, 232))


def _sea(image: Image.Image, draw: Draw, rng: np.random.Generator) -> None:
    size = image.width
    _gradient(image, _jitter(rng, (150, 208, 214)), _jitter(rng, (54, 116, 142), 6), 0, size)
    for _ in range(3):
        x = int(rng.integers(0, size))
        draw.polygon([(x, 0), (x + 9, 0), (x - 14, 70), (x - 26, 70)], fill=(150, 206, 212))
    floor = [(x, 86 + 2 * np.sin(x / 9 + rng.random() / 4)) for x in range(0, size + 4, 4)]
    draw.polygon([*floor, (size, size), (0, size)], fill=_jitter(rng, (186, 178, 148), 6))
    for _ in range(5):
        x, top = int(rng.integers(0, size)), int(rng.integers(58, 76))
        stem = [(x + 2.2 * np.sin(y / 4), y) for y in range(top, 94, 2)]
        draw.line(stem, fill=(48, 112, 104), width=2)
    for _ in range(14):
        x, y, r = int(rng.integers(0, size)), int(rng.integers(4, 80)), int(rng.integers(1, 3))
        draw.ellipse((x - r, y - r, x + r, y + r), outline=(220, 242, 244))


_PAINTERS: dict[str, Callable[[Image.Image, Draw, np.random.Generator], None]] = {
    "beach": _beach,
    "forest": _forest,
    "city": _city,
    "kitchen": _kitchen,
    "bedroom": _bedroom,
    "desert": _desert,
    "snow": _snow,
    "sea": _sea,
}
EMPTY: Paint = (236, 236, 236)


def paint_place(place: str | None, seed: int, size: int) -> np.ndarray:
    """The background of a scene, [size, size, 3]; a plain pale wall for no place at all."""
    image = Image.new("RGB", (size, size), EMPTY)
    if place is not None:
        _PAINTERS[place](image, ImageDraw.Draw(image), np.random.default_rng(seed))
    return np.array(image)
