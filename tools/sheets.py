"""Contact sheets for people: rows of pictures under headings, each with a caption.

Knows pictures and words; nothing of features.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, QUIET, HAIR = (250, 249, 246), (44, 42, 48), (126, 122, 130), (222, 219, 213)
SIDE = 152
"""The square that a picture is fitted into."""
COLUMNS = 8
BORDER, GAP = 28, 16
CORNER = 6
TITLE, HEADING, CAPTION = 24, 15, 13
"""Heights of letters."""
_HEAD = HEADING + 26
"""From the line above a section to its first picture."""
_DRAWN = 4
"""Corners are drawn so many times larger, so that they come out smooth."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Card(NamedTuple):
    """A picture with two words below: one on the left, and a quieter one on the right."""

    picture: Image.Image
    name: str
    value: str = ""


class Section(NamedTuple):
    """Cards that belong together."""

    heading: str
    cards: tuple[Card, ...]


def contact_sheet(title: str, subtitle: str, sections: Sequence[Section]) -> Image.Image:
    """All sections below each other; those without cards are left out."""
    sections = [section for section in sections if section.cards]
    columns = max(3, min(COLUMNS, max((len(s.cards) for s in sections), default=0)))
    head = BORDER + TITLE + CAPTION + 22
    width = 2 * BORDER + columns * (SIDE + GAP) - GAP
    height = head + sum(_height(section, columns) for section in sections) + BORDER - GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((BORDER, BORDER), title, INK, _font(TITLE), anchor="lt")
    draw.text((BORDER, BORDER + TITLE + 10), subtitle, QUIET, _font(CAPTION), anchor="lt")
    top = head
    for section in sections:
        _draw_section(sheet, section, columns, top)
        top += _height(section, columns)
    return sheet


def _row_height() -> int:
    return SIDE + CAPTION + 8 + GAP


def _height(section: Section, columns: int) -> int:
    rows = math.ceil(len(section.cards) / columns)
    return _HEAD + rows * _row_height() + 4


def _draw_section(sheet: Image.Image, section: Section, columns: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.line((BORDER, top, sheet.width - BORDER, top), HAIR)
    draw.text((BORDER, top + 14), section.heading, INK, _font(HEADING), anchor="lt")
    for place, card in enumerate(section.cards):
        row, column = divmod(place, columns)
        left = BORDER + column * (SIDE + GAP)
        _draw_card(sheet, card, left, top + _HEAD + row * _row_height())


def _draw_card(sheet: Image.Image, card: Card, left: int, top: int) -> None:
    picture = _fitted(card.picture.convert("RGB"))
    at = (left + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2)
    sheet.paste(picture, at, _rounded(picture.size))
    draw, line = ImageDraw.Draw(sheet), top + SIDE + 6
    draw.text((left, line), card.name, INK, _font(CAPTION), anchor="lt")
    draw.text((left + SIDE, line), card.value, QUIET, _font(CAPTION), anchor="rt")


def _fitted(picture: Image.Image) -> Image.Image:
    """As large as the square allows."""
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _rounded(size: tuple[int, int]) -> Image.Image:
    large = Image.new("L", (size[0] * _DRAWN, size[1] * _DRAWN))
    box = (0, 0, large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle(box, CORNER * _DRAWN, 255)
    return large.resize(size, Image.Resampling.LANCZOS)


def _font(size: int) -> Font:
    return ImageFont.load_default(size)
