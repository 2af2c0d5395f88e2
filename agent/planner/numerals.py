"""Numbers written out: `twelve`, `a hundred and ten`, `half a million`.

Knows number words, and when they are none: `one` and `two` are pronouns as often as numbers.
"""

from __future__ import annotations

import re

from agent.planner.english import UNIT, either, rule

_SMALL = dict(
    enumerate(
        [
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
            *("seventeen", "eighteen", "nineteen"),
        ]
    )
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES: dict[str, int] = {word: value for value, word in _SMALL.items()} | {
    word: 10 * tens for tens, word in enumerate(_TENS, 2)
}
_TEN, _DIGIT, _ANY = ("|".join(some) for some in (_TENS, list(_VALUES)[1:10], _VALUES))
_SPELT = rule(rf"\b(?:(?:{_TEN})(?:[- ](?:{_DIGIT}))?|{_ANY})\b")
_LARGE = rule(
    r"""\b(?:(?P<times>\d+|a|one)\s+)?(?P<scale>hundred|thousand)\b
    (?:\s+(?:and\s+)?(?P<rest>\d{1,2})\b)?"""
)
_SCALES = {"hundred": 100, "thousand": 1000}
_HALF_MILLION, _A_MILLION = rule(r"\bhalf\s+a\s+million\b"), rule(r"\b(?:a|one)\s+(?=million\b)")
_THOUSANDS = rule(rf"\b(\d{{1,3}}),(\d{{3}})(?=\s+(?:most|tokens?|active|{UNIT})\b)")

_BEFORE_NUMBER = either(
    """features? units? neurons? latents? pictures? images? photos? numbers? top first best layer
    block and to than with versus vs through is test explore validate validation k from
    between or hundred thousand"""
)
_BEFORE = rule(rf"(?:\b{_BEFORE_NUMBER}|[,-])\s*$")
_AFTER = rule(
    rf"\s*(?:hundred|thousand|million|{UNIT}|most|tokens?|results?|findings?|to\b|through\b|-)"
)
_FIRST = rule(r"\b(?:first|best|last|top)\s+$")
"""`The first two` are those that were named before, and `the first twelve` are numbers."""
_FEW = 5


def in_digits(text: str) -> str:
    """The text with its numbers in digits."""
    # Twice, since the second of two joined numbers is told by the first, once that is in digits.
    for _ in range(2):
        text = _LARGE.sub(_large, _SPELT.sub(_small, text))
    text = _A_MILLION.sub("1 ", _HALF_MILLION.sub("500000", text))
    return _THOUSANDS.sub(r"\1\2", text)


def _small(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()], match.string[match.end() :]
    value = sum(_VALUES[part] for part in re.split(r"[- ]", match[0].lower()))
    pronoun = value <= _FEW and _FIRST.search(before) is not None
    is_number = _AFTER.match(after) or (_BEFORE.search(before) and not pronoun)
    return str(value) if is_number else match[0]


def _large(match: re.Match[str]) -> str:
    times = match["times"] or "one"
    scaled = (int(times) if times.isdecimal() else 1) * _SCALES[match["scale"].lower()]
    return str(scaled + int(match["rest"] or 0))
