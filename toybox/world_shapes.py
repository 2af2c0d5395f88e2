"""How each object of the toybox is built: named regions, drawn in order in a box of 100 x 100.

Knows geometry and which named part a region belongs to; nothing of colours, finishes or places.
"""

from __future__ import annotations

from typing import NamedTuple

Points = tuple[float, ...]


class Region(NamedTuple):
    """A kind of surface. Tinted ones take the thing's colour and finish; others are painted."""

    name: str
    part: str | None
    tint: float | None
    paint: tuple[int, int, int] = (0, 0, 0)


class Stroke(NamedTuple):
    """One drawing step: an outline, its points, the region that it fills, and a line's width."""

    form: str  # poly, oval, rect, line, dome (the upper half of an oval) or ring
    points: Points
    region: str
    width: float = 0


_REGIONS = (
    Region("body", None, 1.0),
    Region("shade", None, 0.78),
    Region("cream", None, None, (242, 234, 214)),
    Region("slate", None, None, (92, 98, 110)),
    Region("ink", None, None, (38, 36, 44)),
    Region("skin", None, None, (236, 196, 160)),
    Region("plate", None, None, (250, 248, 240)),
    Region("letters", None, None, (30, 30, 36)),
    Region("mouth", None, None, (120, 40, 44)),
    Region("tear", None, None, (110, 180, 230)),
    Region("wheels", "wheels", None, (70, 74, 86)),
    Region("hubs", "wheels", None, (190, 194, 200)),
    Region("windows", "windows", None, (194, 228, 242)),
    Region("roof", "roof", 0.7),
    Region("door", "door", None, (116, 80, 56)),
    Region("leaves", "leaves", 0.9),
    Region("trunk", "trunk", None, (126, 92, 66)),
    Region("stem", None, None, (126, 92, 66)),
    Region("sail", "sail", None, (246, 242, 230)),
    Region("handle", "handle", None, (104, 78, 64)),
    Region("legs", "legs", 0.72),
    Region("wings", "wings", 0.72),
    Region("tail", "tail", 0.82),
    Region("petals", "petals", 1.0),
    Region("fins", "fins", 0.7),
    Region("eyes", "eyes", None, (252, 252, 252)),
    Region("pupils", "eyes", None, (28, 28, 34)),
)
REGIONS: dict[str, Region] = {region.name: region for region in _REGIONS}
CODES: dict[str, int] = {region.name: code for code, region in enumerate(_REGIONS, start=1)}
"""Region name -> code in a picture's region plane; 0 is the scene behind all things."""


def _oval(region: str, *points: float) -> Stroke:
    return Stroke("oval", points, region)


def _poly(region: str, *points: float) -> Stroke:
    return Stroke("poly", points, region)


def _rect(region: str, *points: float) -> Stroke:
    return Stroke("rect", points, region)


def _line(region: str, width: float, *points: float) -> Stroke:
    return Stroke("line", points, region, width)


def _eye(x: float, y: float, radius: float = 7) -> tuple[Stroke, Stroke]:
    inner = radius * 0.55
    return (
        _oval("eyes", x - radius, y - radius, x + radius, y + radius),
        _oval("pupils", x - inner, y - inner, x + inner, y + inner),
    )


def _wheel(x: float, y: float, radius: float) -> tuple[Stroke, Stroke]:
    hub = radius * 0.4
    return (
        _oval("wheels", x - radius, y - radius, x + radius, y + radius),
        _oval("hubs", x - hub, y - hub, x + hub, y + hub),
    )


SHAPES: dict[str, tuple[Stroke, ...]] = {
    "car": (
        _poly("body", 2, 60, 14, 52, 28, 26, 68, 26, 82, 52, 98, 58, 98, 80, 2, 80),
        _poly("windows", 33, 33, 46, 33, 46, 51, 24, 51),
        _poly("windows", 52, 33, 64, 33, 74, 51, 52, 51),
        *_wheel(25, 80, 13),
        *_wheel(75, 80, 13),
    ),
    "bus": (
        _rect("body", 2, 14, 98, 84),
        *(_rect("windows", x, 24, x + 15, 44) for x in (8, 27, 46)),
        _rect("windows", 82, 24, 98, 46),
        _rect("door", 66, 26, 78, 83),
        *_wheel(24, 84, 12),
        *_wheel(76, 84, 12),
    ),
    "boat": (
        _poly("body", 2, 64, 98, 64, 80, 94, 20, 94),
        _rect("slate", 47, 4, 52, 64),
        _poly("sail", 44, 8, 44, 58, 8, 58),
        _poly("sail", 56, 20, 56, 58, 86, 58),
    ),
    "rocket": (
        _poly("cream", 40, 80, 60, 80, 50, 99),
        _poly("fins", 32, 48, 10, 88, 32, 80),
        _poly("fins", 68, 48, 90, 88, 68, 80),
        _poly("body", 50, 0, 68, 26, 70, 82, 30, 82, 32, 26),
        _oval("windows", 40, 28, 60, 48),
    ),
    "house": (
        _rect("body", 12, 44, 88, 96),
        _poly("roof", 2, 48, 50, 4, 98, 48),
        _rect("door", 42, 64, 58, 96),
        _rect("windows", 19, 54, 34, 70),
        _rect("windows", 66, 54, 81, 70),
    ),
    "tree": (
        _rect("trunk", 42, 58, 58, 98),
        _oval("leaves", 6, 22, 58, 70),
        _oval("leaves", 42, 22, 94, 70),
        _oval("leaves", 22, 2, 78, 56),
    ),
    "flower": (
        _line("stem", 6, 50, 50, 50, 98),
        _oval("leaves", 18, 68, 50, 86),
        _oval("leaves", 50, 74, 82, 92),
        *(
            _oval("petals", x - 14, y - 14, x + 14, y + 14)
            for x, y in ((50, 14), (70, 25), (70, 47), (50, 58), (30, 47), (30, 25))
        ),
        _oval("cream", 39, 25, 61, 47),
    ),
    "mushroom": (
        _poly("cream", 36, 48, 64, 48, 68, 96, 32, 96),
        Stroke("dome", (4, 6, 96, 104), "body"),
    ),
    "cactus": (
        _line("body", 14, 26, 66, 26, 34),
        _line("body", 14, 20, 60, 50, 60),
        _line("body", 14, 76, 54, 76, 22),
        _line("body", 14, 50, 48, 82, 48),
        _rect("body", 40, 4, 60, 90),
        _poly("trunk", 28, 86, 72, 86, 66, 99, 34, 99),
    ),
    "umbrella": (
        _rect("handle", 47, 44, 53, 88),
        Stroke("ring", (47, 76, 69, 98), "handle", 6),
        Stroke("dome", (2, 6, 98, 94), "body"),
        _line("shade", 3, 50, 6, 34, 50),
        _line("shade", 3, 50, 6, 66, 50),
    ),
    "cup": (
        Stroke("ring", (56, 32, 96, 72), "handle", 9),
        _poly("body", 8, 20, 74, 20, 66, 92, 16, 92),
        _oval("cream", 8, 13, 74, 27),
    ),
    "bottle": (
        _rect("slate", 40, 0, 60, 10),
        _rect("body", 41, 10, 59, 36),
        _poly("body", 41, 28, 59, 28, 76, 46, 76, 98, 24, 98, 24, 46),
        _rect("cream", 24, 60, 76, 76),
    ),
    "lamp": (
        _rect("slate", 46, 50, 54, 92),
        _oval("slate", 26, 86, 74, 100),
        _poly("body", 30, 4, 70, 4, 94, 54, 6, 54),
    ),
    "chair": (
        _rect("legs", 18, 60, 28, 99),
        _rect("legs", 72, 60, 82, 99),
        _rect("body", 20, 2, 80, 44),
        _rect("shade", 26, 44, 34, 54),
        _rect("shade", 66, 44, 74, 54),
        _rect("body", 12, 54, 88, 70),
    ),
    "table": (
        _rect("legs", 8, 46, 20, 92),
        _rect("legs", 80, 46, 92, 92),
        _rect("shade", 8, 46, 92, 56),
        _rect("body", 0, 24, 100, 48),
    ),
    "clock": (
        _oval("body", 4, 4, 96, 96),
        _oval("cream", 22, 22, 78, 78),
        _line("ink", 6, 50, 50, 50, 28),
        _line("ink", 6, 50, 50, 66, 58),
    ),
    "ball": (
        _oval("body", 6, 6, 94, 94),
        _line("shade", 5, 24, 16, 34, 36, 34, 64, 24, 84),
        _line("shade", 5, 76, 16, 66, 36, 66, 64, 76, 84),
    ),
    "balloon": (
        _line("slate", 3, 50, 70, 46, 82, 54, 90, 50, 100),
        _poly("shade", 50, 64, 58, 76, 42, 76),
        _oval("body", 16, 0, 84, 70),
    ),
    "kite": (
        _line("tail", 7, 50, 72, 66, 80, 44, 90, 58, 99),
        _poly("body", 50, 0, 90, 36, 50, 76, 10, 36),
        _line("shade", 4, 50, 0, 50, 76),
        _line("shade", 4, 10, 36, 90, 36),
    ),
    "hat": (
        _poly("body", 26, 74, 30, 12, 70, 12, 74, 74),
        _rect("cream", 27, 54, 73, 66),
        _oval("body", 0, 64, 100, 90),
    ),
    "bird": (
        _poly("tail", 24, 50, 0, 34, 4, 64),
        _oval("body", 14, 34, 78, 88),
        _oval("body", 54, 10, 92, 48),
        _poly("cream", 88, 24, 100, 31, 88, 38),
        _poly("wings", 26, 50, 62, 52, 44, 80),
        *_eye(76, 25, 7),
        _line("slate", 4, 40, 86, 40, 99),
        _line("slate", 4, 54, 86, 54, 99),
    ),
    "fish": (
        _poly("tail", 66, 50, 100, 20, 100, 80),
        _poly("fins", 28, 34, 52, 4, 62, 34),
        _poly("fins", 34, 68, 50, 96, 58, 68),
        _oval("body", 2, 22, 78, 78),
        *_eye(20, 42, 8),
    ),
    "cat": (
        Stroke("ring", (64, 44, 100, 92), "tail", 9),
        _oval("body", 18, 46, 80, 100),
        _poly("shade", 20, 32, 20, 0, 44, 16),
        _poly("shade", 78, 32, 78, 0, 54, 16),
        _oval("body", 16, 8, 82, 62),
        *_eye(36, 32, 9),
        *_eye(62, 32, 9),
        _oval("cream", 40, 42, 58, 56),
    ),
    "robot": (
        _rect("slate", 48, 0, 52, 10),
        _rect("legs", 26, 80, 42, 99),
        _rect("legs", 58, 80, 74, 99),
        _rect("shade", 4, 46, 96, 58),
        _rect("body", 18, 42, 82, 84),
        _rect("body", 24, 8, 76, 40),
        *_eye(38, 23, 8),
        *_eye(62, 23, 8),
        _rect("cream", 34, 54, 66, 70),
    ),
    "person": (
        _poly("body", 28, 58, 72, 58, 92, 100, 8, 100),
        _oval("skin", 12, 4, 88, 72),
        Stroke("dome", (10, -2, 90, 52), "shade"),
    ),
    "sign": (),  # sized by its word: see world_signs
}

FACES: dict[str, tuple[Stroke, ...]] = {
    "happy": (
        *_eye(35, 38, 6),
        *_eye(65, 38, 6),
        _poly("mouth", 28, 50, 72, 50, 60, 65, 40, 65),
    ),
    "sad": (
        *_eye(35, 40, 6),
        *_eye(65, 40, 6),
        _line("mouth", 6, 34, 66, 50, 56, 66, 66),
        _rect("tear", 30, 48, 37, 64),
    ),
    "angry": (
        *_eye(35, 42, 6),
        *_eye(65, 42, 6),
        _line("ink", 7, 22, 29, 46, 38),
        _line("ink", 7, 78, 29, 54, 38),
        _rect("mouth", 34, 58, 66, 64),
    ),
    "surprised": (
        *_eye(33, 38, 10),
        *_eye(67, 38, 10),
        _oval("mouth", 41, 51, 59, 69),
    ),
}
"""Strokes drawn over a person's head. All lie inside the skin."""

FACE_REGIONS = frozenset({"skin", "eyes", "pupils", "mouth", "tear", "ink"})
"""A person's regions that carry its emotion."""
