"""How many are wanted: `the 100 most active ones`, `5 features`, `at most 10`.

Knows how people count what they want; nothing of which ones these are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.english import FUNCTION, SEVERAL, either, rule
from agent.planner.numerals import number

_KIND = either("features? units? latents? neurons?")
_FREQUENT = either(
    """most_(?:\\w+ly_)?(?:active|frequent|common|busy|used|activated|firing|fired) busiest
    liveliest commonest strongest most-active most-firing"""
)
_OFTEN = either("most activity frequency often frequently on_(?:many|more)")
_MOST = rule(
    rf"""\b(?:top\s+)?(\d+)\s+(?:of\s+the\s+)?{_FREQUENT} | {_FREQUENT}\s+(\d+)(?!\w)
    | \b(?:top\s+)?(\d+)\s+(?:{_KIND}|ones)\s+(?:that|which|with|by|firing|active)\b
      [^,;.?]*?\b{_OFTEN}\b(?:\s+\w*\s*(?:pictures|images))?
    | \btop[- ](\d+)\s+(?:{_KIND}\s+)?(?:by\s+)?(?:activity|active|frequency|firing(?:\s+rate)?)"""
)
_COUNTED = either(
    """features? units? latents? neurons? findings? results? verdicts? hits? matches entries
    candidates"""
)
_PLURAL = rf"(?:{SEVERAL}|findings|results|verdicts|hits|matches|entries|candidates|ones)"
_AT_MOST = either(
    """top best at_most no_more_than (?:,_?|but_)(?:only|just) limit(?:ed)?(?:_to)? any say
    max(?:imum|\\.)? (?<!\\d\\s)up_to"""
)
_COUNT = rule(
    rf"""
    (?<!\w){_AT_MOST}[- ](\d+|two|three|four|five)
        (?=\s*(?:(?:\w+ing|best)\s+)?(?:{_COUNTED}|ones|of\b|for\b|please|only|instead|now|[,.?!)]|$))
    | \b(?:first|last|latest|newest)\s+(\d+)(?=\s+(?:findings?|results?|hits?|matches|verdicts?)\b)
    | (?<![-\w\#])(?<!first\s)(?<!lowest\s)(?<!initial\s)(\d+)
        (?=\s+(?:{_COUNTED}|of\s+(?:them|those|these)|(?:(?!{FUNCTION}\b)[a-z-]+\s+){{1,2}}{_PLURAL})\b)
    | (?:(?<=\bnext\s)|(?<=\bfollowing\s)|(?<=\banother\s)|(?<=\bfurther\s))
        (\d+)(?=\s*(?:$|[.?!]|(?:{_COUNTED}|ones)\b))
    | (?<![-\w\#])(\d+)
        (?=\s+(?:more\b(?!\s+than)|at\s+(?:the\s+)?most|max(?:imum)?|tops|will\s+do|(?:is|are)\s+enough)\b)
    """
)


class Counts(NamedTuple):
    """How many."""

    most: int | None
    """So many of the most active ones."""
    count: int | None
    """So many of whatever is asked for."""


class Counted(NamedTuple):
    """Counts, and the text with placeholders instead."""

    counts: Counts
    left: str


def counts_in(text: str) -> Counted:
    """The first count of either kind; what counts the most active ones counts nothing else."""
    if (match := _MOST.search(text)) is not None:
        return Counted(Counts(_value(match), None), _without(match, "<most> features"))
    if (match := _COUNT.search(text)) is not None:
        return Counted(Counts(None, _value(match)), _without(match, "<count>"))
    return Counted(Counts(None, None), text)


def _value(match: re.Match[str]) -> int:
    return next(number(group) for group in match.groups() if group is not None)


def _without(match: re.Match[str], mark: str) -> str:
    return f"{match.string[: match.start()]} {mark} {match.string[match.end() :]}"
