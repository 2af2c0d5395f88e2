"""A contact sheet of the world: each picture beside the masks of what is in it, with names.

Knows how to lay out and label; nothing of how things look.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sae_core.errors import UserError
from toybox.vocabulary import Concept, concept
from toybox.world import SIZE
from toybox.world_draw import Picture, draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import caption

ZOOM = 2
MARGIN = 14
THUMBS = 6
"""Masks shown beside a picture, three a row, at its own size."""
PAPER, INK, QUIET = (250, 249, 246), (44, 42, 48), (126, 122, 130)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
ORDER = ("object", "part", "color", "material", "texture", "text", "emotion", "scene")


def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def highlight(picture: Picture, wanted: Concept) -> Image.Image:
    """The picture with everything but the concept dimmed, as the paper shows features."""
    mask = picture.mask(wanted)[..., None]
    return Image.fromarray(np.where(mask, picture.pixels_HW3, picture.pixels_HW3 // 6))


def _interesting(picture: Picture, first: Concept | None) -> list[Concept]:
    """Up to THUMBS concepts: the one asked for first, then each class in turn."""
    groups = [[c for c in picture.concepts() if c.group == group] for group in ORDER]
    rounds = [group[i] for i in range(4) for group in groups if len(group) > i]
    if first is not None:
        rounds = [first, *(c for c in rounds if c != first)]
    return rounds[:THUMBS]


def _chosen(seed: int, n: int, wanted: Concept | None) -> list[tuple[int, Picture]]:
    """The n pictures from a seed on; of a concept, the next n that show it."""
    pictures = ((s, draw_scene(fresh_scene(s))) for s in itertools.count(seed))
    shown = ((s, p) for s, p in pictures if wanted is None or wanted in p.concepts())
    return list(itertools.islice(shown, n))


def _wrap(draw: ImageDraw.ImageDraw, text: str, font: Font, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font=font) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _card(picture: Picture, seed: int, masks: bool, first: Concept | None) -> Image.Image:
    """One picture with its caption, and its masks where asked for."""
    big, label = SIZE * ZOOM, 14
    width = big + (3 * (SIZE + 8) + 2 if masks else 0)
    card = Image.new("RGB", (width, big + 48), PAPER)
    draw = ImageDraw.Draw(card)
    card.paste(picture.image().resize((big, big), Image.Resampling.NEAREST), (0, 0))
    for i, wanted in enumerate(_interesting(picture, first) if masks else []):
        row, column = divmod(i, 3)
        x, y = big + 10 + column * (SIZE + 8), row * (SIZE // ZOOM * 2 + 2)
        shown = highlight(picture, wanted).resize(
            (SIZE - label, SIZE - label), Image.Resampling.NEAREST
        )
        card.paste(shown, (x, y))
        draw.text((x, y + SIZE - label - 1), wanted.label, INK, _font(11))
    lines = _wrap(draw, caption(picture.scene), _font(12), width)
    for i, line in enumerate(lines[:3]):
        draw.text((0, big + 5 + 14 * i), line, QUIET, _font(12))
    draw.text((4, 2), str(seed), (255, 255, 255), _font(11), stroke_width=1, stroke_fill=INK)
    return card


def write_gallery(
    path: Path, *, seed: int = 0, n: int = 12, masks: bool = True, only: str | None = None
) -> Path:
    """Write the contact sheet of n fresh pictures, from seed on, as PNG; or only of a concept."""
    if not 1 <= n <= 400:
        raise UserError(f"A gallery has 1 to 400 pictures, not {n}.")
    if path.suffix.lower() != ".png":
        raise UserError(f"The gallery is a PNG, not {path.name!r}: try --out gallery.png.")
    wanted = concept(only) if only is not None else None
    cards = [_card(picture, s, masks, wanted) for s, picture in _chosen(seed, n, wanted)]
    columns = min(n, 3 if masks else 6)
    rows = math.ceil(n / columns)
    width, height = cards[0].size
    sheet = Image.new(
        "RGB",
        (columns * (width + MARGIN) + MARGIN, rows * (height + MARGIN) + MARGIN),
        PAPER,
    )
    for i, card in enumerate(cards):
        row, column = divmod(i, columns)
        at = (MARGIN + column * (width + MARGIN), MARGIN + row * (height + MARGIN))
        sheet.paste(card, at)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path)
    except OSError as error:
        raise UserError(f"The gallery can't be written to {path}: {error.strerror}.") from None
    return path
