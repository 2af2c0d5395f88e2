"""Where one request may end and the next begin: `label 0-20 and then compare 3 and 5`.

Knows connectives; whether both sides mean something is for whoever asked to find out.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.planner.english import COMMAND, UNIT, either, rule
from agent.planner.tidying import MARKER, QUOTED

_ASKING = either(
    """what what's why how which when where who is_there are_there do_we does did have_we are is"""
)
_POLITE = either(
    """please also then finally afterwards next could_you can_you i_want_to
    (?:if|while|when|since)_you(?:'re|_are)_(?:at_it|there|on_it)"""
)
_NEXT = either(
    """then afterwards after_that next(?!\\s+to) finally followed_by as_a_next_step
    otherwise failing_that (?<=and\\s)if_(?:there_(?:is|are)|you_find|we_have)_(?:none|nothing)
    (?:once|when|as_soon_as|after)_(?:(?:that|this|it|you)(?:'s|'re|_is|_are|_has|_have)?_)?(?:been_)?(?:done|finished|ready|complete[d]?|trained)"""
)
_CUT = rule(
    rf"""
    \s*(?<!\w){MARKER}\s+(?=\S)
    | (?:\s*,|\s*,?\s+(?:as\s+well\s+as|plus|and)(?:\s*,?\s*separately\s*,?)?)\s+
        (?={UNIT}\s+(?:for|about|that|which)\b)
    | \s*,?\s+and\s+(?=(?:also\s+)?for\s+(?!th|it\b)[a-z])
    | \s*,?\s+and\s+(?=(?:it|the\s+model)\s+(?:sees|adds|invents|imagines|hallucinates)\s)
    | \s*,?\s*(?=\bbut\s+first\b)
    | \s*[,;]\s*(?:also\s+(?=\d)|(?=(?:the\s+)?(?:status|costs?|progress)\s*(?:[,;.]|$)))
    | \s*[,;&]\s*(?=\d+\s+(?:vs\.?|versus|against)\s+\d)
    | \s*(?:(?<!\bvs)(?<!\bmax)(?<!\bincl)(?<!\bapprox)(?<!\bno)(?<!\bnr)[;.?!](?!\d)\s+
        | [,.]?\s*\b(?:(?:and|but)\s+)?(?:{_NEXT}|(?<=and\s)also)\b\s*,?)\s*(?=\S)
    | \s*(?:,\s*(?:(?:and|but)\s+)?|\band\s+|&\s*)(?=(?:{_POLITE}\s+)*(?:{COMMAND}|{_ASKING})\b)
    """
)


class Clause(NamedTuple):
    """A stretch of a text, by the places of its ends."""

    start: int
    end: int


def clauses(text: str) -> list[Clause]:
    """The text in as many parts as there may be; it is never cut within quotation marks."""
    quotes = [(one.start(), one.end()) for one in QUOTED.finditer(text)]
    found, at = [], 0
    for match in _CUT.finditer(text):
        quoted = any(
            start < match.start() < end or start < match.end() < end for start, end in quotes
        )
        # A question keeps its mark.
        end = match.start() + ("?" in match[0]) * (match[0].find("?") + 1)
        if not quoted:
            found += [Clause(at, end)] if text[at:end].strip() else []
            at = match.end()
    return [*found, Clause(at, len(text))]
