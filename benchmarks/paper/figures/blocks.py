"""What a page of figures is made of: headings, rows of pictures, replies, words under scores.

Knows pictures, words and numbers; nothing of features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from benchmarks.paper.figures.canvas import (
    BLUE,
    BORDER,
    HAIR,
    INK,
    ORANGE,
    QUIET,
    WIDTH,
    Colour,
    Pen,
    breadth,
    wrapped,
)
from tools.heat import AGAINST, FOR

TITLE, HEADING, LETTER, SMALL = 20, 15, 13, 12
LEAD = 6
"""Between two lines of words."""
INNER = WIDTH - 2 * BORDER
NAMES = 190
"""The column that says who replies."""
FULL = 0.75
"""How much of its colour the strongest word has."""


class Title(NamedTuple):
    """The first lines of a page."""

    words: str
    below: str

    @property
    def height(self) -> float:
        return TITLE + 10 + len(self._lines()) * (LETTER + LEAD)

    def draw(self, pen: Pen, top: float) -> None:
        pen.text(BORDER, top, self.words, TITLE)
        for place, line in enumerate(self._lines()):
            pen.text(BORDER, top + TITLE + 10 + place * (LETTER + LEAD), line, LETTER, QUIET)

    def _lines(self) -> Sequence[str]:
        return wrapped(self.below, LETTER, INNER)


class Heading(NamedTuple):
    """A line above what belongs together, with a quieter one on its right."""

    words: str
    beside: str = ""

    @property
    def height(self) -> float:
        return HEADING + 14

    def draw(self, pen: Pen, top: float) -> None:
        pen.line(BORDER, top, WIDTH - BORDER, top, HAIR, 1)
        pen.text(BORDER, top + 14, self.words, HEADING)
        pen.text(WIDTH - BORDER, top + 15, self.beside, SMALL, QUIET, "r")


class Card(NamedTuple):
    """A picture with words below: on the left, and quieter ones on the right."""

    picture: Image.Image
    name: str = ""
    value: str = ""


class Strip(NamedTuple):
    """Pictures side by side, as large as a row of so many allows."""

    cards: tuple[Card, ...]
    columns: int = 5

    @property
    def side(self) -> float:
        return (INNER - (self.columns - 1) * 12) / self.columns

    @property
    def height(self) -> float:
        told = any(card.name or card.value for card in self.cards)
        return self.side + (SMALL + 8 if told else 0)

    def draw(self, pen: Pen, top: float) -> None:
        for place, card in enumerate(self.cards[: self.columns]):
            left = BORDER + place * (self.side + 12)
            pen.picture(left, top, card.picture, self.side)
            pen.text(left, top + self.side + 7, card.name, SMALL)
            pen.text(left + self.side, top + self.side + 7, card.value, SMALL, QUIET, "r")


SILENCE = "(no words)"
"""What stands for a reply without any, as a model that is steered too strongly may give."""


class Reply(NamedTuple):
    """Who says what."""

    who: str
    text: str
    loud: bool = False


class Talk(NamedTuple):
    """A question and replies to it, each beside who gives it."""

    question: str
    replies: tuple[Reply, ...]

    @property
    def height(self) -> float:
        lines = sum(len(self._lines(one)) for one in self.replies)
        return LETTER + LEAD + 4 + lines * (LETTER + LEAD) + 2 * len(self.replies)

    def draw(self, pen: Pen, top: float) -> None:
        pen.text(BORDER, top, f"“{self.question}”", LETTER, BLUE)
        top += LETTER + LEAD + 4
        for one in self.replies:
            colour = ORANGE if one.loud else QUIET
            pen.text(BORDER, top, one.who, LETTER, colour)
            for line in self._lines(one):
                pen.text(BORDER + NAMES, top, line, LETTER, INK)
                top += LETTER + LEAD
            top += 2

    def _lines(self, one: Reply) -> Sequence[str]:
        return wrapped(one.text.strip() or SILENCE, LETTER, INNER - NAMES)


class Words(NamedTuple):
    """Words in their order, each on a ground as strong as its score: for, or against."""

    who: str
    words: tuple[str, ...]
    scores: tuple[float, ...]
    strongest: float

    @property
    def height(self) -> float:
        return LETTER + 12

    def draw(self, pen: Pen, top: float) -> None:
        pen.text(BORDER, top + 5, self.who, LETTER, QUIET)
        left = BORDER + NAMES
        for word, score in zip(self.words, self.scores, strict=True):
            width = breadth(word, LETTER) + 10
            pen.box(left, top, width, LETTER + 11, _ground(score / (self.strongest or 1.0)))
            pen.text(left + 5, top + 5, word, LETTER)
            left += width + 3


class Note(NamedTuple):
    """A few quiet lines."""

    words: str

    @property
    def height(self) -> float:
        return len(self._lines()) * (SMALL + LEAD) - LEAD

    def draw(self, pen: Pen, top: float) -> None:
        for place, line in enumerate(self._lines()):
            pen.text(BORDER, top + place * (SMALL + LEAD), line, SMALL, QUIET)

    def _lines(self) -> Sequence[str]:
        return wrapped(self.words, SMALL, INNER)


def _ground(share: float) -> Colour:
    """White at nothing, the colours of heat maps at the strongest."""
    full, much = (FOR if share > 0 else AGAINST), FULL * min(1.0, abs(share))
    red, green, blue = (round(255 + (end - 255) * much) for end in full)
    return red, green, blue
