"""Feature numbers in a request: `feature 12`, `#12`, `12, 13 and 15`, `0-499`, `the first 50`.

Knows how numbers are written; nothing of what is to be done with features. Whatever else has
numbers (pictures, layers, sizes) was taken out of the text before.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import NamedTuple

from agent.plan import MOST
from agent.planner.english import PICTURE, UNIT, either, rule

FEW = 16
"""So many features are investigated; more are labelled."""
_MARK = r"(?:numbers?|no\.|nos\.|nr\.?|ids?|idx|index(?:es)?|indices|\#)"
_PREFIX = rf"""(?:{UNIT}\s*[:=]?\s*(?:{_MARK}\s*[:=]?\s*)?(?:the\s+)?
    | \bf[_-]?\s?(?=\d) | \#\s* | {_MARK}\s*[:=]?\s*)"""
_TO = r"""(?:\s*(?:[-–—…:]|\.\.+)\s*
    | \s+(?:all\s+the\s+way\s+)?(?:(?:up\s+)?(?:to|until|till)|through|thru)
      (?:\s+and\s+including)?\s+)"""  # noqa: RUF001
_MEASURE = either(
    """times seconds? secs? minutes? mins? hours? days? weeks? dollars? euros? cents steps workers
    people of_(?:them|those|the|which)
    (?:(?:top|best|strongest|example|test|random|more|other|different)_)?PICTURE"""
).replace("PICTURE", PICTURE)
"""Behind a number, these say that it counts something else than features."""

_ITEM = rule(
    rf"""
    \b(?:first|lowest)\s+(?P<first>\d+)(?!\s+(?:most|results?|findings?|hits?|matches)\b)
        (?:\s+{UNIT})?(?!\w)
    | \b(?P<bound>below|under|less\s+than|smaller\s+than|up\s+to(?:\s+and\s+including)?)\s+
        {_PREFIX}?(?P<top>\d+)(?!\w)
    | \bbetween\s+{_PREFIX}?(?P<one>\d+)\s+and\s+{_PREFIX}?(?P<other>\d+)(?!\w)
    | (?<![\w.*+=^]){_PREFIX}?(?P<low>\d+)(?:{_TO}{_PREFIX}?(?P<high>\d+))?
        (?!\w|\.\d|\s*%|\s*[*+=^]\s*\d|\s*{_MEASURE}\b)
    """
)
_BUT = either(
    """except(?:ing)?(?:_for)? excluding but_not without other_than leaving_out skip(?:ping)?
    omitting minus"""
)
_EXCEPT = rule(
    rf"""\b{_BUT}\s+
    (?P<left>{_PREFIX}?\d+(?:\s*(?:[,&–-]|\b(?:to|and|or)\b)\s*{_PREFIX}?\d+)*)(?!\w)"""  # noqa: RUF001
)
_LIST = rule(
    rf"""<n>(?:
    (?:\s*(?:[,;/&+]|\b(?:and|or|plus|as\s+well\s+as)\b)\s*)+(?:{UNIT}\s+)?<n> | \s+<n>)*"""
)


class Numbers(NamedTuple):
    """The features that a text names."""

    pieces: tuple[tuple[int, ...], ...] = ()
    """As they stand there: single ones, and ranges written out."""
    left_out: frozenset[int] = frozenset()

    @property
    def all(self) -> tuple[int, ...]:
        """Each once, in order."""
        named = chain.from_iterable(self.pieces)
        return tuple(one for one in dict.fromkeys(named) if one not in self.left_out)

    @property
    def pair(self) -> tuple[int, ...]:
        """The same, where `3 to 5` and `3 but not 5` mean these two alone."""
        ends = chain.from_iterable(
            (piece[0], piece[-1]) if len(piece) > 1 else piece for piece in self.pieces
        )
        others = sorted(self.left_out.difference(chain.from_iterable(self.pieces)))
        return tuple(dict.fromkeys((*ends, *others)))


class Taken(NamedTuple):
    """Numbers, and the text with placeholders instead."""

    numbers: Numbers
    left: str


def numbers_in(text: str) -> Taken:
    """The feature numbers of a text in which every number that is left is one."""
    left_out: list[int] = []

    def put_aside(match: re.Match[str]) -> str:
        left_out.extend(chain.from_iterable(_piece(one) for one in _ITEM.finditer(match["left"])))
        return " <except> "

    text = _EXCEPT.sub(put_aside, text)
    found = list(_ITEM.finditer(text))
    pieces = tuple(_piece(match) for match in found)
    numbers = Numbers(pieces, frozenset(left_out))
    marked = iter(pieces)
    counted = _LIST.sub(
        lambda match: _placeholder([next(marked) for _ in range(match[0].count("<n>"))]),
        _ITEM.sub(" <n> ", text),
    )
    return Taken(numbers, counted)


def _piece(match: re.Match[str]) -> tuple[int, ...]:
    if match["first"]:
        return _row(0, int(match["first"]) - 1)
    if match["bound"]:
        return _row(0, int(match["top"]) - (not match["bound"].lower().startswith("up")))
    if match["one"]:
        return _row(int(match["one"]), int(match["other"]))
    return _row(int(match["low"]), int(match["high"] or match["low"]))


def _row(one: int, other: int) -> tuple[int, ...]:
    """From the lower to the higher one; one more than may be asked for shows that it is too far."""
    low, high = min(one, other), max(one, other)
    return tuple(range(low, min(high, low + MOST) + 1))


def _placeholder(pieces: list[tuple[int, ...]]) -> str:
    """By how many features there are, since that decides what may be done with them."""
    count = sum(len(piece) for piece in pieces)
    return {1: " <feature> ", 2: " <pair> "}.get(count, " <list> " if count <= FEW else " <range> ")
