"""What a model was asked and what it said, in a request that wonders why.

Knows how people report questions and answers; nothing of what models are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.planner.behaviours import singular, thing_of
from agent.planner.english import COLOUR, MISS, SAY, SEE, YES_NO, either, rule, words

LONGEST_ANSWER = 100
_ASK = either(
    """is are was were does do did can could has have what what's where where's which who whose
    how_many how"""
)
_NOUN = r"(?P<thing>(?!model\b|network\b)[\w-]+(?:\s+[\w-]+)??)"
_OF_PICTURE = r"(?:\s+(?:in|on|of|at|from)\s+<picture>)?"

# A question in its own words: `picture 7: is there a car? why yes?`
_ASKED = rule(
    rf"""(?:<picture>\s*[:,;-]+\s*
    | \bask(?:ed|ing)?\s+(?:(?:it|the\s+model|about\s+<picture>|on\s+<picture>)\s*)*[:,-]*\s*
    | \b(?:question|query)\s*(?:is|was)?\s*[:,-]*\s* | [:;]\s* | \b(?:to|for)\s+)
    (?P<question>{_ASK}\s+[^?]+)\?"""
)
_ASKED_OPENLY = rule(
    rf"""\bask(?:ed|ing)?\s+(?:it\s+|the\s+model\s+)?(?P<question>{_ASK}\s+.+?)
    (?=\s*(?:$|[?.;,]|\b(?:on|in|for|about|of)\s+<picture>|\bdoes\s+(?:it|the)))"""
)
_WHETHER = rule(
    r"""\b(?:whether|if)\s+
    (?P<subject>there|it|this|that|(?:the|a|an|any|some)\s+[\w-]+(?:\s+[\w-]+)??)\s+
    (?P<verb>is|are|was|were|has|can)\s*
    (?P<rest>.*?)(?=\s*(?:$|[?.;,]|\b(?:on|in|for|of|about)\s+<picture>))"""
)
_ABOUT = rule(
    rf"""\b(?:asked|question|asking)\s+(?:about|for)\s+(?:the\s+)?
    (?P<what>colou?r|material|place|scene|location)(?:\s+of\s+(?:the\s+)?{_NOUN})?"""
)

# A claim that answers a question: `why does it say there is a car?`
_MISSED = rule(rf"\b{MISS}\s+(?P<thing>.+)")
_THERE = rule(
    r"""\bthere(?:\s+(?:is|are|was|were)|'s)\s*(?:\w+ly\s+)?(?P<not>no\b|not\b|n't\b)?\s*
    (?:(?:an?|any|the|some)\s+)?(?P<thing>.+)"""
)
_CONTRARY = rule(
    rf"\b(?:but|yet|still|though|although)\b.*\b(?:it|model|network)\s+(?:\w+ly\s+)?{SAY}"
)
_CALLED = rule(
    rf"""\b(?:call|label|describe|take|mistake|see|paint|consider)(?:s|ed)?\s+(?:the|that|this)\s+
    {_NOUN}{_OF_PICTURE}\s+(?:as\s+|to\s+be\s+)?(?P<colour>{COLOUR})\b"""
)
_IS = rule(
    rf"""\b(?:{SAY}|that|why)\s+(?:that\s+)?
    (?:(?:the|this|that|these|those|an?)\s+{_NOUN}|<picture>|it|this|that){_OF_PICTURE}\s+
    (?P<verb>is|are|was|were)\s+(?P<not>not\s+|n't\s+)?(?P<rest>.+)"""
)
_SEEN = rule(
    rf"""(?:\b{SEE}|<picture>\s+(?:has|have|contains?|shows?))\s+
    (?P<no>no\s+)?(?P<thing>(?!that\b).+)"""
)

# The answer itself.
_INSTEAD = rule(
    r"""(?P<answer><quote>|[\w-]+)\s*,?\s*\(?
    (?:instead\s+of|rather\s+than|and\s+not|but\s+not|not|over|as\s+opposed\s+to|in\s+place\s+of)\s+
    (?:(?:an?|the|say(?:ing)?|answer(?:ing)?)\s+)*(?P<instead><quote>|[\w-]+)"""
)
_SHOULD = rule(
    rf"""\b(?:should\s+(?:have\s+)?(?:say|said|answer(?:ed)?|be|been)
      |(?:expect|want|hope)(?:ed|d|s)?(?:\s+(?:for|it\s+to\s+(?:say|be)))?)\s+
    (?P<instead><quote>|(?:{YES_NO}|{COLOUR})\b)"""
)
_BESIDE = rule(
    rf"""<question>\s*,?\s*(?:(?:[-=]*>|→|[=:])\s*)?(?:(?:is|was|as|with|by|a|gets?|got)\s+)*
      (?P<after>(?:{YES_NO}|{COLOUR})\b|<quote>)
    | (?P<before>\b(?:yes|no)\b|<quote>)\s+(?:to|for|on|as\s+(?:the\s+)?(?:answer|reply)\s+to)?\s*
      <question>
    | \?[\s;,:/-]*(?P<bare>\b{YES_NO}\b)(?=\s*(?:[;,./?!-]|$))"""
)
_WHY_NOT = rule(rf"\bwhy\s+not\s+(?:an?\s+|the\s+)?(?P<instead><quote>|(?:{YES_NO}|{COLOUR})\b)")
_ANSWER = rule(
    rf"""\b(?:{SAY}|answer\s*(?:is|was|of|being)?|
    answer\s+to\s+<question>(?:\s+(?:in|on|for|about)\s+<picture>)?\s+(?:is|was)|the\s+reply\s*(?:is|was)?|verdict|why|g[eo]ts?|
    gives?|gave|returns?)\s*[:,]?\s*(?:with\s+)?(?:an?\s+|the\s+)?
    (?P<answer><quote>|(?:{YES_NO}|{COLOUR})\b)"""
)
_NO_ANSWER = either(
    """to for on in about when if that there this the it as so what like anything something after"""
)
_SAID = rule(
    rf"""\b(?:answer(?:s|ed)?|repl(?:y|ies|ied)|says?|said|outputs?|respond(?:s|ed)?)\s+
    (?:with\s+)?(?:an?\s+|the\s+)?
    (?P<answer>(?!{_NO_ANSWER}\b)[\w-]+)
    (?=\s*(?:$|[?.,;:]|\b(?:to|for|on|in|when|if|about|instead|rather|after|at|and)\b|<))"""
)
_NO_ANSWERS = words(
    "does do did is are was has can could will there model it why a an the see find"
)
_PICTURE_ON = rule(r"\s*\b(?:in|on|for|of|at|from|about|with)?\s*<picture>.*$")


class Reported(NamedTuple):
    """A question, and the answers to it that are spoken of."""

    question: str | None
    answer: str | None = None
    instead: str | None = None


def reported(masked: str, quotes: tuple[str, ...]) -> Reported:
    """What the model was asked, and said."""
    asked = _quoted_question(quotes)
    others = iter([one for one in quotes if one != asked])
    answer, instead = _answers(masked, others)
    if asked is not None:
        return Reported(_ended(asked), answer, instead)
    question = _openly(masked)
    if question is not None:
        return Reported(question, answer, instead)
    told = _told(masked)
    return Reported(told.question, answer or told.answer, instead)


def _quoted_question(quotes: tuple[str, ...]) -> str | None:
    """The quotation that is a question, with or without its mark."""
    marked = (one for one in quotes if one.endswith("?"))
    return next(marked, next((one for one in quotes if re.match(rf"{_ASK}\s", one, re.I)), None))


def _answers(masked: str, quotes: Iterator[str]) -> tuple[str | None, str | None]:
    """The answer that was given, and the one that might have been."""

    def said(match: re.Match[str], *names: str) -> str | None:
        word = next(match[name] for name in names if match[name])
        told = next(quotes, None) if word == "<quote>" else word.lower()
        return told[:LONGEST_ANSWER] if told else None

    pair = _INSTEAD.search(masked)
    if pair and not {pair["answer"].lower(), pair["instead"].lower()} & _NO_ANSWERS:
        return said(pair, "answer"), said(pair, "instead")
    should = _SHOULD.search(masked) or _WHY_NOT.search(masked)
    left = masked if should is None else masked[: should.start()]
    if beside := _BESIDE.search(left):
        answer = said(beside, "after", "before", "bare")
    elif match := _ANSWER.search(left) or _SAID.search(left):
        answer = said(match, "answer")
    else:
        answer = None if should else next(quotes, None)
    return answer, said(should, "instead") if should else None


def _openly(masked: str) -> str | None:
    """A question within the request, in its own words."""
    if (match := _ASKED.search(masked)) or (match := _ASKED_OPENLY.search(masked)):
        question = _cut(match["question"])
        if len(question.split()) > 1:
            return _ended(question)
    if match := _WHETHER.search(masked):
        return _ended(f"{match['verb'].lower()} {match['subject'].lower()} {_cut(match['rest'])}")
    if match := _ABOUT.search(masked):
        return _about(match["what"].lower(), match["thing"])
    return None


def _about(what: str, thing: str | None) -> str | None:
    if what in ("place", "scene", "location"):
        return "where is this?"
    if thing is None:
        return None
    asked = "what is the {} made of?" if what == "material" else "what color is the {}?"
    return asked.format(thing.lower())


def _told(masked: str) -> Reported:
    """A question that has what the model claims as its answer."""
    if match := _MISSED.search(masked):
        return _is_there(match["thing"], "no")
    if match := _THERE.search(masked):
        # `There is no car, but it says so` tells first what the picture shows.
        no = bool(match["not"]) != bool(_CONTRARY.search(match["thing"]))
        return _is_there(match["thing"], "no" if no else "yes")
    if match := _CALLED.search(masked):
        return Reported(f"what color is the {match['thing'].lower()}?", match["colour"].lower())
    if match := _IS.search(masked):
        return _being(match)
    if match := _SEEN.search(masked):
        return _is_there(match["thing"], "no" if match["no"] else "yes")
    return Reported(None)


def _being(match: re.Match[str]) -> Reported:
    rest, verb = _cut(match["rest"]), match["verb"].lower()
    if not rest:
        return Reported(None)
    thing = f"the {match['thing'].lower()}" if match["thing"] else "this"
    if re.fullmatch(COLOUR, rest, re.I) and match["thing"]:
        return Reported(f"what color {verb} {thing}?", rest.lower())
    if made := re.fullmatch(r"made\s+(?:out\s+)?of\s+(.+)", rest, re.I):
        return Reported(f"what {verb} {thing} made of?", made[1].lower())
    return Reported(f"{verb} {thing} {rest}?", "no" if match["not"] else "yes")


def _is_there(text: str, answer: str) -> Reported:
    thing = thing_of(text)
    if thing is None:
        return Reported(None)
    if singular(thing) != thing:
        return Reported(f"are there any {thing}?", answer)
    return Reported(f"is there {'an' if thing[0] in 'aeiou' else 'a'} {thing}?", answer)


def _ended(question: str) -> str:
    return f"{question.rstrip('?.! ')}?"


def _cut(text: str) -> str:
    """Without the picture, and without what comes after."""
    return _PICTURE_ON.sub("", text).strip(" ?.,;:!-")
