"""Numbers in other notations: `twelve`, `half a million`, `2^14`, `1,024`, `2.5k`.

Knows number words and signs, and when they are none: `one` and `two` are pronouns as often as
numbers, and `12,140` may be a list.
"""

from __future__ import annotations

import re

from agent.planner.english import SEVERAL, UNIT, either, rule

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
_DOZEN = rule(r"\b(?P<half>half\s+a\s+)?(?:(?P<times>\d+|a|one)\s+)?dozen\b")
_EXPONENT = rule(r"(?<![\w.])(\d+)e(\d)(?!\w|\.\d)")
_OR_TWO = rule(r"\b(?:word|line|sentence|minute|second|day|step|thing)s?\s+or\s+$")
_SCALES = {"hundred": 100, "thousand": 1000}
_HALF_MILLION, _A_MILLION = rule(r"\bhalf\s+a\s+million\b"), rule(r"\b(?:a|one)\s+(?=million\b)")
_POWER = rule(r"(?<![\w.])(2|10)\s*(?:\^|\*\*)\s*(\d{1,2})(?!\w|\.\d)")
_THOUSANDS = rule(r"(?<![\w.,])([1-9]\d{0,2})((?:,\d{3})+|(?:['_]\d{3})+)(?![\w'_]|[.,]\d)")
_SPACED = rule(
    rf"""(?<![\d.,]\s)(?<![\w.,])(?:(?<=feature\s)|(?<=unit\s)|(?<=latent\s)|(?<=neuron\s)
      |(?<=picture\s)|(?=\d+\s0)|(?=\d+[\s.]\d+\s+(?:most|tokens?|active|{UNIT})\b))
    ([1-9]\d{{0,2}})[\s.](\d{{3}})(?![\w,]|\.\d|\s\d)"""
)
_KILO = rule(
    r"(?<![\w/.-])(?:\d+(?:\.\d+)?k?\s*[-–]\s*)?\d+(?:\.\d+)?k(?![\w=-])(?!\s*=)"  # noqa: RUF001
)
_ASKS_SEVERAL = rule(rf"\b(?:{SEVERAL}|compar\w+|between)\s+$")
"""Behind these words, a comma between two numbers and no more makes a list."""

_BEFORE_NUMBER = either(
    """features? units? neurons? latents? pictures? images? photos? numbers? top first next
    following best layer block and to than with versus vs through is only just test explore
    validate validation k from between or hundred thousand"""
)
_BEFORE = rule(rf"(?:\b{_BEFORE_NUMBER}|[,-])\s*$")
_AFTER = rule(
    rf"""\s*(?:hundred|thousand|million|dozen|(?:(?:best|strongest|more|other|closest)\s+)?{UNIT}
    |most|tokens?|results?|findings?|to\b|through\b|at\s+(?:a\s+time|once|most)|-\s*(?=\d|(?:{_ANY}|{UNIT}|to|hundred|thousand)\b))"""
)
_FIRST = rule(r"\b(?:first|best|last|top)\s+$")
"""`The first two` are those that were named before, and `the first twelve` are numbers."""
_PLACES = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_NTH = rule(rf"\b(?:{'|'.join(_PLACES)})(?=\s+(?:layer|block)\b)")
_FEW = 5
_NO_NUMBER = rule(r"-[a-z] | \s+[-–]\s | \s+(?:with|of|for|at|on|that|which|is|has)\b")  # noqa: RUF001
_NO_NUMBER_BEFORE = rule(r"\b(?:there(?:\s+is|'s|\s+was)|that|this|top|best)\s+$")
"""Around `one`: `one-liners`, `one with k 16`, `there is one`."""


def number(text: str) -> int:
    """What a number in digits, or one word, is."""
    return int(text) if text.isdecimal() else _VALUES[text.lower()]


def in_digits(text: str) -> str:
    """The text with its numbers in digits."""
    text = _NTH.sub(lambda match: _nth(_PLACES.index(match[0].lower()) + 1), text)
    # Twice, since the second of two joined numbers is told by the first, once that is in digits.
    for _ in range(2):
        text = _DOZEN.sub(_dozens, _LARGE.sub(_large, _SPELT.sub(_small, text)))
    text = _EXPONENT.sub(lambda match: str(int(match[1]) * 10 ** int(match[2])), text)
    text = _A_MILLION.sub("1 ", _HALF_MILLION.sub("500000", text))
    text = _SPACED.sub(r"\1\2", _THOUSANDS.sub(_joined, text))
    text = _KILO.sub(lambda match: re.sub(r"([\d.]+)k", _times_1000, match[0], flags=re.I), text)
    return _POWER.sub(lambda match: str(int(match[1]) ** int(match[2])), text)


def _nth(number: int) -> str:
    return str(number) + {1: "st", 2: "nd", 3: "rd"}.get(number, "th")


def _times_1000(match: re.Match[str]) -> str:
    return str(round(float(match[1]) * 1000))


def _joined(match: re.Match[str]) -> str:
    """Without separators, unless they part the numbers of a list."""
    groups = re.findall(r"\d+", match[0])
    before = match.string[: match.start()]
    alone = len(re.findall(r"\d+", match.string)) == len(groups)
    ascending = len(groups) > 2 and sorted(map(int, groups)) == [int(one) for one in groups]
    return match[0] if ascending or (alone and _ASKS_SEVERAL.search(before)) else "".join(groups)


def _small(match: re.Match[str]) -> str:
    before, after = match.string[: match.start()], match.string[match.end() :]
    value = sum(_VALUES[part] for part in re.split(r"[- ]", match[0].lower()))
    if _OR_TWO.search(before):
        return match[0]
    pronoun = value <= _FEW and _FIRST.search(before) is not None
    if value == 1 and (_NO_NUMBER.match(after) or _NO_NUMBER_BEFORE.search(before)):
        return match[0]
    is_number = _AFTER.match(after) or (_BEFORE.search(before) and not pronoun)
    return str(value) if is_number else match[0]


def _dozens(match: re.Match[str]) -> str:
    times = match["times"] or "one"
    return "6" if match["half"] else str(12 * (int(times) if times.isdecimal() else 1))


def _large(match: re.Match[str]) -> str:
    times = match["times"] or "one"
    scaled = (int(times) if times.isdecimal() else 1) * _SCALES[match["scale"].lower()]
    return str(scaled + int(match["rest"] or 0))
