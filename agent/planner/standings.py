"""How findings ended, in a request: `supported`, `those that nobody could explain`.

Knows how people say it; nothing of findings.
"""

from __future__ import annotations

import re
from typing import Literal

from agent.planner.english import either, rule

Standing = Literal["supported", "refuted", "no explanation", "too rare"]

_STANDINGS: tuple[tuple[Standing, re.Pattern[str]], ...] = tuple(
    (standing, rule(rf"\b{either(told)}\b"))
    for standing, told in (
        (
            "no explanation",
            """no_(?:\\w+_)?explanations? unexplain(?:ed|able) not_(?:be_)?explain(?:ed)?
            inexplicable (?:without|lack(?:s|ing)?)_(?:(?:an?|any)_)?(?:\\w+_)?explanations?
            (?:nobody|no_one|could(?:n't|_not))_(?:\\w+_)?explain(?:ed)?""",
        ),
        (
            "too rare",
            """too[-_]rare(?:ly)? fires?_too_(?:rarely|seldom) (?:seldom|rarely)_fir(?:e|es|ing)
            rare(?=_(?:findings|features|ones))""",
        ),
        (
            "refuted",
            """refuted rejected disprove[dn] falsified failed debunked not_supported unsupported
            wrong(?=_labels?) did(?:n't|_not)_(?:pass|hold(?:_up)?|survive)""",
        ),
        (
            "supported",
            """supported confirmed verified prove[dn] accepted passed survived held_up well-founded
            validated (?:could|did|can|manage[sd]?_to|able_to)_(?:we_)?explain(?:ed)?""",
        ),
    )
)
_WHICH_WERE = r"""(?:\b(?:that|which|who)\s+)?
    (?:\b(?:is|are|was|were|be|been|has|have|had|got|get|turned\s+out)\s+)*"""
_THE_TEST = r"""(?:\s+(?:in\s+|by\s+|at\s+)?(?:(?:the|its|their)\s+)?
    (?:sealed\s+)?(?:verification|tests?|testing)\b)?"""


def standing_in(text: str) -> Standing | None:
    """The first one of the order above that a text speaks of."""
    return next((one for one, pattern in _STANDINGS if pattern.search(text)), None)


def is_standing(text: str) -> bool:
    """Whether a text says how findings ended, and nothing else."""
    return any(pattern.fullmatch(text) for _, pattern in _STANDINGS)


def without_standing(text: str) -> str:
    """The text without the words that say how findings ended."""
    for _, pattern in _STANDINGS:
        text = re.sub(
            rf"{_WHICH_WERE}(?:{pattern.pattern}){_THE_TEST}", " ", text, flags=pattern.flags
        )
    return text
