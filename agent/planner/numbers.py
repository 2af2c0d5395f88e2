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
_PREFIX = rf"""(?:{UNIT}\s*[:=_]?\s*(?:{_MARK}\s*[:=]?\s*)?(?:the\s+)?
    | \bf[_-]?\s?(?=\d) | \#\s* | {_MARK}\s*[:=]?\s*)"""
_TO = r"""(?:\s*(?:[-–—…:~→]+>?|\.\.+)\s*
    | \s+(?:all\s+the\s+way\s+)?(?:(?:up\s+)?(?:to|until|till)|through|thru)
      (?:\s+and\s+including)?\s+)"""  # noqa: RUF001
_MEASURE = either(
    """times seconds? secs? minutes? mins? hours? days? weeks? dollars? euros? cents steps workers
    people of_(?:them|those|the|which)
    (?:(?:top|best|strongest|example|test|random|more|other|different)_)?PICTURE"""
).replace("PICTURE", PICTURE)
"""Behind a number, these say that it counts something else than features."""

_OF_FEATURE = "does is was has vs versus plus minus as means fires responds stands"
"""Behind a feature's number; they end like the names of counted things."""
_OF_THINGS = rf"""(?:there\s+(?:is|are|were)|exactly|precisely|only|with|sees?|shows?|says?|of|for
    |to|contain(?:s|ing)?|more\s+than|fewer\s+than)\s+(?:at\s+(?:least|most)\s+)?\d+\s+
    (?!(?:{UNIT}|{either(_OF_FEATURE)})\b)[a-z]+(?:s|people|men|women)\b"""
"""`There are 3 cups`, `pictures with 2 dogs`: counted things are no features."""

_ITEM = rule(
    rf"""
    (?P<things>\b{_OF_THINGS} | \bthe\s+(?:number|digit|figure)\s+\d+\b
        | \b(?:it|model|network)\s+(?:says|said|answers|answered|replies)\s+\d+\b)
    | \b(?:first|lowest|initial)\s+(?P<first>\d+)(?!\s+(?:most|results?|findings?|hits?|matches)\b)
        (?:\s+{UNIT})?(?!\w)
    | \b(?P<bound>below|under|less\s+than|smaller\s+than|up\s+to(?:\s+and\s+including)?)\s+
        {_PREFIX}?(?P<top>\d+)(?!\w)
    | \bbetween\s+{_PREFIX}?(?P<one>\d+)\s+and\s+{_PREFIX}?(?P<other>\d+)(?!\w)
    | (?<![\w.*+=^]){_PREFIX}?(?P<low>\d+)(?:{_TO}{_PREFIX}?(?P<high>\d+))?
        (?!\w|\.\d|\s*%|\s*[*+=^]\s*\d|\s*{_MEASURE}\b)
    """
)
_BUT = either(
    """except(?:ing)?(?:_for)? excluding but_not without other_than leav(?:e|ing)(?:_out)?
    skip(?:ping)? omitting minus not rather_than instead_of as_opposed_to"""
)
_EXCEPT = rule(
    rf"""\b{_BUT}\s+
    (?P<left>{_PREFIX}?\d+(?:\s*(?:[,&–-]|\b(?:to|and|or)\b)\s*{_PREFIX}?\d+)*)(?!\w)"""  # noqa: RUF001
)
_LIST = rule(
    rf"""<n>(?:
    (?:\s*(?:[,;/&+]|\b(?:and|or|plus|as\s+well\s+as)\b)\s*)+(?:{UNIT}\s+)?<n> | \s+<n>)*"""
)


_STARTING = rule(
    rf"""\b(?P<count>\d+)\s+(?:(?:consecutive|successive)\s+)?(?:{UNIT}\s+)?
    (?:(?:start|beginn?)(?:s|ing)?\s+(?:at|from|with)|counting\s+from|from(?=\s+\S+\s+(?:on|up)))
    \s+{_PREFIX}?(?P<start>\d+)(?!{_TO}\d|\w)(?:\s+(?:on|up)(?:wards?)?\b)?"""
)
_HALF_OPEN = rule(r"\[\s*(\d+)\s*,\s*(\d+)\s*\)")
_CLOSED = rule(r"\[\s*(\d+)\s*,\s*(\d+)\s*\]\s*,?\s*\(?\s*(?:both\s+ends\s+)?inclu\w+\)?")
_WITHIN = rule(
    r"(?P<from>>=?|≥)\s*(?P<low>\d+)\s*(?:,|&+|and|but)?\s*(?P<to><=?|≤)\s*(?P<high>\d+)"
)
_BELOW = {"<": "below", "<=": "up to", "≤": "up to"}
_BELOW_NUMBER = rule(r"(?<![\w>≥-])\s*(<=?|≤)\s*(?=\d)")
_ON_AND_ON = rule(
    r"(?<![\w.])\d+(?:\s*\+(?!\s*[\d#a-z])|\s+(?:and|or)\s+(?:up|above|higher|beyond|over)\b)"
)
"""`100+`, `from 100 and up`: nobody says where the features end."""
_AND_SO_ON = rule(r"(?<![\w.])(\d+)(?:\s*,\s*\d+)*\s*,?\s*(?:\.\.\.+|…)\s*,\s*(\d+)")
_NTH_FEATURE = rule(rf"\b(?:the\s+)?(\d+)(?:st|nd|rd|th)\s+{UNIT}(?!\w)")
_NTH = {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "tenth": 10, "hundredth": 100}
_STEP = rule(
    rf"""\bevery\s+(?:(?P<nth>\d+)(?:st|nd|rd|th)|(?P<word>{"|".join(_NTH)}))\b(?:\s+one\b)?
    | [,(]?\s*\b(?:in\s+|with\s+(?:an?\s+)?)?(?:steps?|strides?)\s*
      (?:of|size|[:=])?\s*(?P<step>\d+)\b\)?"""
)


def in_plain_notation(text: str) -> str:
    """`16 features starting at 100`, `[10, 30)`, `>= 3 and < 9` as ranges with both ends."""

    def row(start: int, end: int) -> str:
        return f" features {start}-{end} " if end >= start else f" features {start} "

    def within(match: re.Match[str]) -> str:
        low, high = int(match["low"]), int(match["high"])
        return row(low + (match["from"] == ">"), high - (match["to"] == "<"))

    text = _CLOSED.sub(lambda match: row(int(match[1]), int(match[2])), text)
    text = _BELOW_NUMBER.sub(lambda match: f" {_BELOW[match[1]]} ", _WITHIN.sub(within, text))
    text = _STARTING.sub(
        lambda match: row(int(match["start"]), int(match["start"]) + int(match["count"]) - 1), text
    )
    text = _AND_SO_ON.sub(r" features \1-\2 ", _NTH_FEATURE.sub(r"feature \1", text))
    return _HALF_OPEN.sub(lambda match: row(int(match[1]), int(match[2]) - 1), text)


def endless(text: str) -> bool:
    """Whether a text names features from some number on, and no end."""
    return _ON_AND_ON.search(text) is not None


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
        named = tuple(dict.fromkeys(ends))
        others = sorted(self.left_out.difference(chain.from_iterable(self.pieces)))
        return named if len(named) > 1 else (*named, *others)


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
    step = _step(match) if (match := _STEP.search(text)) and _ITEM.search(text) else 1
    text = _STEP.sub(" <step> ", text) if step > 1 else text
    found = [match for match in _ITEM.finditer(text) if not match["things"]]
    pieces = tuple(_piece(match)[::step] for match in found)
    numbers = Numbers(pieces, frozenset(left_out))
    marked = iter(pieces)
    counted = _LIST.sub(
        lambda match: _placeholder([next(marked) for _ in range(match[0].count("<n>"))]),
        _ITEM.sub(lambda match: match["things"] or " <n> ", text),
    )
    return Taken(numbers, counted)


def _step(match: re.Match[str]) -> int:
    told = match["nth"] or match["step"]
    return max(int(told), 1) if told else _NTH[match["word"].lower()]


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
