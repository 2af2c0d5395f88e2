"""A page of blocks below each other, drawn with Pillow at twice its size.

Knows widths, letters and colours; the blocks themselves are `benchmarks.paper.figures.blocks`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Side = Literal["l", "r"]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAPER, INK, QUIET, HAIR = (255, 254, 251), (44, 42, 48), (112, 108, 116), (226, 223, 217)
BLUE, ORANGE = (45, 105, 160), (186, 88, 40)
WIDTH, BORDER, GAP = 820, 26, 17
FINE = 2
"""How much larger everything is drawn."""
SHARP = 0.75
"""From this scale on pixels are repeated or left out, so that drawn pictures keep their colours."""
CAPITALS = 0.74
"""How high capitals are, in heights of letters."""
CORNER = 5
_DRAWN = 4
"""Corners are drawn so many times larger, so that they come out smooth."""


class Pen:
    """Draws in the units of the page."""

    def __init__(self, height: float) -> None:
        self.image = Image.new("RGB", (round(WIDTH * FINE), round(height * FINE)), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self, x: float, y: float, words: str, size: int, colour: Colour = INK, side: Side = "l"
    ) -> None:
        """A line of words below a point, to the right or left of it; capitals begin there."""
        at = (x * FINE, (y + CAPITALS * size) * FINE)
        self._draw.text(at, words, colour, font(size), anchor=f"{side}s")

    def line(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, width: float
    ) -> None:
        """From one point to another."""
        ends = (x0 * FINE, y0 * FINE, x1 * FINE, y1 * FINE)
        self._draw.line(ends, colour, round(width * FINE))

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled box with round corners."""
        ends = (x * FINE, y * FINE, (x + width) * FINE - 1, (y + height) * FINE - 1)
        self._draw.rounded_rectangle(ends, round(3 * FINE), colour)

    def picture(self, x: float, y: float, picture: Image.Image, side: float) -> None:
        """A picture in the middle of a square."""
        scale = side * FINE / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        how = Image.Resampling.NEAREST if scale >= SHARP else Image.Resampling.LANCZOS
        made = picture.convert("RGB").resize(size, how)
        left = round(x * FINE) + (round(side * FINE) - size[0]) // 2
        top = round(y * FINE) + (round(side * FINE) - size[1]) // 2
        self.image.paste(made, (left, top), _rounded(size))


class Block(Protocol):
    """Something on a page."""

    @property
    def height(self) -> float:
        """Of all of it."""
        ...

    def draw(self, pen: Pen, top: float) -> None:
        """Draw it below a line."""
        ...


class Page(NamedTuple):
    """Blocks below each other."""

    blocks: tuple[Block, ...]

    def drawn(self) -> Image.Image:
        """The page as a picture."""
        pen = Pen(2 * BORDER + sum(one.height + GAP for one in self.blocks) - GAP)
        top = float(BORDER)
        for one in self.blocks:
            one.draw(pen, top)
            top += one.height + GAP
        return pen.image

    def save(self, path: Path) -> None:
        """As a PNG; pictures of few colours stay small as they are."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.drawn().save(path, optimize=True)


def font(size: int) -> Font:
    """Letters of this height."""
    return ImageFont.load_default(round(size * FINE))


def breadth(words: str, size: int) -> float:
    """How wide words are."""
    return font(size).getlength(words) / FINE


def wrapped(words: str, size: int, width: float) -> Sequence[str]:
    """Lines that are no wider; a longer word has a line of its own."""
    lines, line = [], ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and breadth(longer, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _rounded(size: tuple[int, int]) -> Image.Image:
    large = Image.new("L", (size[0] * _DRAWN, size[1] * _DRAWN))
    box = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, round(CORNER * FINE * _DRAWN), 255)
    return large.resize(size, Image.Resampling.LANCZOS)
