"""Draws a scene: its pixels, and for each pixel which thing and which region of it is seen there.

Knows masks, and so the truth about what is visible where; nothing of language or models.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from toybox.vocabulary import MATERIALS, TEXTURES, Concept, concept
from toybox.world import COLUMNS, ROWS, SIZE, Scene, Thing
from toybox.world_finishes import surface
from toybox.world_places import paint_place
from toybox.world_shapes import CODES, FACE_REGIONS, FACES, REGIONS, SHAPES, Stroke
from toybox.world_signs import sign_regions

MIN_VISIBLE = 12
"""A concept with fewer pixels than this does not count as present."""
_THING = 30
_PERSON = 36
_OUTLINE = 0.62

# Lookups from region code: fixed paint, tint factor, and membership.
_PAINT = np.zeros((len(CODES) + 1, 3), np.float32)
_TINT = np.zeros(len(CODES) + 1, np.float32)
_PLATE = np.zeros(len(CODES) + 1, bool)
_FACE = np.zeros(len(CODES) + 1, bool)
_PARTS = np.array(["", *(REGIONS[name].part or "" for name in CODES)])
for _name, _code in CODES.items():
    _region = REGIONS[_name]
    _PAINT[_code] = _region.paint
    _TINT[_code] = _region.tint or 0
    _PLATE[_code] = _name in ("plate", "letters")
    _FACE[_code] = _name in FACE_REGIONS


class RegionFacts(NamedTuple):
    """Lookups by region code: does it take the tint, is it a sign's plate, a face, which part."""

    tinted: np.ndarray
    plate: np.ndarray
    face: np.ndarray
    parts: np.ndarray


def region_facts() -> RegionFacts:
    """What the codes of Picture.region_HW mean."""
    return RegionFacts(_TINT > 0, _PLATE, _FACE, _PARTS)


class Box(NamedTuple):
    """A box in pixels; x1 and y1 are the last column and row inside."""

    x0: int
    y0: int
    x1: int
    y1: int


class Picture(NamedTuple):
    """A drawn scene. thing_HW indexes scene.shown, -1 for the place; region_HW has codes."""

    scene: Scene
    pixels_HW3: np.ndarray
    thing_HW: np.ndarray
    region_HW: np.ndarray

    def image(self) -> Image.Image:
        """The picture as people and models get it."""
        return Image.fromarray(self.pixels_HW3)

    def mask(self, wanted: Concept | str) -> np.ndarray:
        """The exact pixels of a concept."""
        group, word = concept(wanted) if isinstance(wanted, str) else wanted
        if group == "scene":
            return (self.thing_HW < 0) & (self.scene.place == word)
        if group == "part":
            return _PARTS[self.region_HW] == word
        shown = self.scene.shown
        match group:
            case "object":
                return self._of([t.kind == word for t in shown])
            case "color":
                return self._of([t.colour == word for t in shown]) & (_TINT[self.region_HW] > 0)
            case "material" | "texture":
                return self._of([t.finish == word for t in shown]) & (_TINT[self.region_HW] > 0)
            case "text":
                chosen = [t.kind == "sign" and t.word == word for t in shown]
                return self._of(chosen) & _PLATE[self.region_HW]
            case "emotion":
                chosen = [t.kind == "person" and t.emotion == word for t in shown]
                return self._of(chosen) & _FACE[self.region_HW]
        raise ValueError(f"no mask rule for the class {group!r}")

    def _of(self, chosen: list[bool]) -> np.ndarray:
        return np.array([*chosen, False])[self.thing_HW]

    def box(self, wanted: Concept | str) -> Box | None:
        """The smallest box around a concept's pixels; None where it is not seen."""
        ys, xs = np.nonzero(self.mask(wanted))
        if len(ys) == 0:
            return None
        return Box(int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max()))

    def concepts(self) -> tuple[Concept, ...]:
        """Every concept of which at least MIN_VISIBLE pixels are seen."""
        seen = self._seen()
        shown = self.scene.shown
        area: dict[Concept, int] = {}

        def add(group: str, word: str, pixels: int) -> None:
            area[Concept(group, word)] = area.get(Concept(group, word), 0) + int(pixels)

        if self.scene.place is not None:
            add("scene", self.scene.place, seen[-1].sum())
        for code, part in enumerate(_PARTS):
            if part:
                add("part", part, seen[:, code].sum())
        for thing, regions in zip(shown, seen, strict=False):
            tinted = regions[_TINT > 0].sum()
            add("object", thing.kind, regions.sum())
            add("color", thing.colour, tinted)
            if thing.finish in MATERIALS:
                add("material", thing.finish, tinted)
            if thing.finish in TEXTURES:
                add("texture", thing.finish, tinted)
            if thing.kind == "sign":
                add("text", thing.word, regions[_PLATE].sum())
            if thing.kind == "person":
                add("emotion", thing.emotion, regions[_FACE].sum())
        return tuple(c for c in sorted(area) if area[c] >= MIN_VISIBLE)

    def _seen(self) -> np.ndarray:
        """Pixels per thing and region; the last row is the place behind."""
        things, codes = len(self.scene.shown) + 1, len(CODES) + 1
        joint = (self.thing_HW % things).astype(np.int64) * codes + self.region_HW
        return np.bincount(joint.ravel(), minlength=things * codes).reshape(things, codes)


def _stroke(draw: ImageDraw.ImageDraw, stroke: Stroke, size: int) -> None:
    code = CODES[stroke.region]
    p = [value * (size - 1) / 100 for value in stroke.points]
    width = max(1, round(stroke.width * size / 100))
    match stroke.form:
        case "poly":
            draw.polygon(p, fill=code)
        case "oval":
            draw.ellipse(p, fill=code)
        case "rect":
            draw.rectangle(p, fill=code)
        case "line":
            draw.line(p, fill=code, width=width, joint="curve")
        case "dome":
            draw.pieslice(p, 180, 360, fill=code)
        case "ring":
            draw.ellipse(p, outline=code, width=width)


@functools.lru_cache(maxsize=8192)
def _regions(kind: str, emotion: str, word: str, size: int, flip: bool) -> np.ndarray:
    """The region plane of one thing at one size."""
    if kind == "sign":
        return sign_regions(word)
    plane = Image.new("L", (size, size), 0)
    for stroke in SHAPES[kind]:
        _stroke(ImageDraw.Draw(plane), stroke, size)
    array = np.array(plane)
    if kind == "person":
        for stroke in FACES[emotion]:
            _stroke(ImageDraw.Draw(plane), stroke, size)
        array = np.where(array == CODES["skin"], np.array(plane), array)
    return array[:, ::-1] if flip else array


@functools.lru_cache(maxsize=8192)
def _edges(kind: str, emotion: str, word: str, size: int, flip: bool) -> np.ndarray:
    """Where a thing's outline runs: its pixels beside what is not the thing."""
    inside = np.pad(_regions(kind, emotion, word, size, flip) > 0, 1)
    core = inside[1:-1, 1:-1]
    around = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    return core & ~around


def _look(thing: Thing) -> tuple[str, str, str, int, bool]:
    """What determines a thing's silhouette; words and emotions count only where they show."""
    base = _PERSON if thing.kind == "person" else _THING
    size = round(base * thing.scale / 100)
    sign = thing.kind == "sign"
    emotion = thing.emotion if thing.kind == "person" else ""
    return (
        thing.kind,
        emotion,
        thing.word if sign else "",
        0 if sign else size,
        thing.flip and not sign,
    )


def _place_thing(thing: Thing, height: int, width: int) -> tuple[int, int]:
    """Top and left of a thing. It stays inside; signs keep to a lattice of 4 pixels."""
    top = ROWS[thing.row] + thing.dy - height // 2
    left = COLUMNS[thing.column] + thing.dx - width // 2
    if thing.kind == "sign":
        top, left = top // 4 * 4, left // 4 * 4
    return min(max(top, 0), SIZE - height), min(max(left, 0), SIZE - width)


def draw_scene(scene: Scene) -> Picture:
    """Draw a scene. Each pixel shows one region of one thing, or the place behind."""
    pixels = paint_place(scene.place, scene.backdrop, SIZE)
    thing_HW = np.full((SIZE, SIZE), -1, np.int8)
    region_HW = np.zeros((SIZE, SIZE), np.uint8)
    for index, thing in enumerate(scene.shown):
        look = _look(thing)
        plane = _regions(*look)
        height, width = plane.shape
        top, left = _place_thing(thing, height, width)
        window = np.s_[top : top + height, left : left + width]
        inside = plane > 0
        phase = thing.phase // 64, thing.phase % 64
        tint = _TINT[plane][..., None]
        coat = surface(thing.colour, thing.finish, height, width, phase)
        rgb = np.where(tint > 0, coat * tint, _PAINT[plane])
        rgb = np.where(_edges(*look)[..., None], rgb * _OUTLINE, rgb)
        pixels[window][inside] = rgb[inside].astype(np.uint8)
        thing_HW[window][inside] = index
        region_HW[window][inside] = plane[inside]
    return Picture(scene, pixels, thing_HW, region_HW)
