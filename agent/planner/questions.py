"""What a model was asked and what it said, in a request that wonders why.

Knows how people report questions and answers; nothing of what models are asked.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.claims import claimed, exists, proposition
from agent.planner.english import COLOUR, SAY, YES_NO, either, rule, words
from agent.planner.forms import in_full

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
    (?P<question>{_ASK}\s+[^?.;]+)\?
    | \b(?:question|query)\s*(?:is|was)?\s*[:,-]\s*(?P<plain>{_ASK}\s+[^?.;,]+)"""
)
_ASKED_OPENLY = rule(
    rf"""\bask(?:ed|ing)?\s+(?:it\s+|the\s+model\s+)?(?P<question>{_ASK}\s+.+?)(?P<plain>)
    (?=\s*(?:$|[?.;,]|\b(?:on|in|for|about|of)\s+<picture>|\bdoes\s+(?:it|the)))"""
)
_WHETHER = rule(r"\b(?:whether|if)\s+(?P<clause>.+)")
_INDIRECT = rule(
    r"""(?P<wh>(?:what|which|how\s+(?:many|much))(?:\s+[\w-]+){0,2}?|where|who|how)\s+
    (?P<subject>(?:the|this|that|these|those|an?)\s+[\w-]+(?:\s+[\w-]+)??|there|it|they)\s+
    (?P<verb>is|are|was|were|can)\b\s*(?P<rest>.*)"""
)
"""`What the chair is made of`, where somebody reports what was asked."""
_ABOUT = rule(
    rf"""\b(?:asked|question|asking)\s+(?:about|for)\s+(?:the\s+)?
    (?P<what>colou?r|material|place|scene|location)(?:\s+of\s+(?:the\s+)?{_NOUN})?"""
)

# The answer itself.
_INSTEAD = rule(
    r"""(?P<answer><quote>|[\w-]+)\s*,?\s*\(?
    (?:instead\s+of|rather\s+than|and\s+not|but\s+not|not|over|as\s+opposed\s+to|in\s+place\s+of)\s+
    (?:(?:an?|the|say(?:ing)?|answer(?:ing)?)\s+)*(?P<instead><quote>|[\w-]+)"""
)
_SHOULD = rule(
    rf"""\b(?:should\s+(?:have\s+)?(?:say|said|answer(?:ed)?|be|been)
      |(?:expect|want|hope)(?:ed|d|s)?(?:\s+(?:for|it\s+to\s+(?:say|be)))?
      |(?:truth|(?:right|correct|true)\s+(?:answer|one))\s*(?:is|was|[:=]))\s+(?:(?:an?|the)\s+)?
    (?P<instead><quote>|(?:{YES_NO}|{COLOUR})\b|[\w-]+(?=\s*(?:[.,;?!]|$|\b(?:but|and|yet|not)\b)))"""
)
_BESIDE = rule(
    rf"""<question>\s*,?\s*(?:(?:[-=]*>|→|[=:])\s*)?(?:(?:is|was|as|with|by|a|gets?|got)\s+)*
      (?P<after>(?:{YES_NO}|{COLOUR})\b|<quote>)
    | (?P<before>\b(?:yes|no)\b|<quote>)\s+(?:(?:in|on|for)\s+<picture>\s+)?
      (?:to|for|on|as\s+(?:the\s+)?(?:answer|reply)\s+to)?\s*<question>
    | \?[\s;,:/-]*(?P<bare>\b{YES_NO}\b)(?=\s*(?:[;,./?!-]|$))"""
)
_NOT_SAID = rule(
    rf"""\b(?:not|never|\w+n't)\s+(?:\w+ly\s+)?(?:say|answer|reply|output)\s+
    (?:with\s+)?(?:an?\s+|the\s+)?(?P<instead><quote>|(?:{YES_NO}|{COLOUR})\b)"""
)
_IN_TRUTH = rule(
    rf"""\b(?:although|though|but|when|while|whereas)\s+(?:it|this|that)\s*(?:is|was|'s)\s+
    (?:\w+ly\s+|in\s+fact\s+)*(?P<instead><quote>|{COLOUR}\b)"""
)
_WHY_NOT = rule(rf"\bwhy\s+not\s+(?:an?\s+|the\s+)?(?P<instead><quote>|(?:{YES_NO}|{COLOUR})\b)")
_ANSWER = rule(
    rf"""\b(?:{SAY}|answer\s*(?:is|was|of|being)?|
    (?:answer|reply|response)(?:\s+to\s+<question>)?(?:\s+(?:in|on|for|about|to)\s+<picture>)?
    \s+(?:is|was)|the\s+reply\s*(?:is|was)?|a(?=\s*:)|verdict|why|g[eo]ts?|
    gives?|gave|returns?|reads)\s*[:,]?\s*(?:with\s+)?(?:an?\s+|the\s+)?
    (?P<answer><quote>|(?:{YES_NO}|{COLOUR})\b)"""
)
_QUOTATION = re.compile("<quote>|<question>")
_ANSWER_ITSELF = rule(rf"{YES_NO}|{COLOUR}|.*\d.*")
_NO_ANSWER = either(
    """to for on in about when if that there this the it as so what like anything something after"""
)
_SAID = rule(
    rf"""(?<!\bthe\s)\b(?:answer(?:s|ed)?|repl(?:y|ies|ied)|says?|said|outputs?|respond(?:s|ed)?)\s+
    (?:with\s+)?(?:an?\s+|the\s+)?
    (?P<answer>(?!{_NO_ANSWER}\b)[\w-]+)
    (?=\s*(?:$|[?.,;:]|-\s|\b(?:to|for|on|in|when|if|about|instead|rather|after|at|and)\b|<))"""
)
_NOTHING_ASKED = words(
    """what what's why how is was are it its that this the a does do did model behind going on up
    with wrong reason cause so come here there about"""
)
"""`Picture 3: what's behind that?` is the asker's own question."""
_OF_MODEL = rule(rf"\b(?:model|network|lmm|vlm)\b | \b(?:makes?|made|lets?)\s+it\s+{SAY}\b")
"""So is a question that speaks of the model: `picture 3: what made it think there's a car?`"""
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
    answer, instead = _answers(masked, quotes, asked)
    if asked is not None:
        return Reported(_ended(asked), answer, instead)
    question = _openly(masked)
    if question is not None:
        return Reported(question, answer, instead)
    told = claimed(masked)
    if told is None and answer and answer not in quotes and not _ANSWER_ITSELF.fullmatch(answer):
        # `It says car` without a question: that there is one.
        told, answer = exists(answer), None
    if told is None:
        return Reported(None, answer, instead)
    return Reported(told.question, answer or told.answer, instead)


def _quoted_question(quotes: tuple[str, ...]) -> str | None:
    """The quotation that is a question, with or without its mark."""
    marked = (one for one in quotes if one.endswith("?"))
    return next(marked, next((one for one in quotes if re.match(rf"{_ASK}\s", one, re.I)), None))


def _answers(
    masked: str, quotes: tuple[str, ...], asked: str | None
) -> tuple[str | None, str | None]:
    """The answer that was given, and the one that might have been."""

    def said(match: re.Match[str], *names: str) -> str | None:
        name = next(name for name in names if match[name])
        if match[name] != "<quote>":
            return match[name].lower()[:LONGEST_ANSWER]
        place = len(_QUOTATION.findall(masked, 0, match.start(name)))
        told = quotes[place] if place < len(quotes) else asked
        return told[:LONGEST_ANSWER] if told and told != asked else None

    pair = _INSTEAD.search(masked)
    if pair and not {pair["answer"].lower(), pair["instead"].lower()} & _NO_ANSWERS:
        return said(pair, "answer"), said(pair, "instead")
    should = next(
        (
            match
            for one in (_SHOULD, _WHY_NOT, _NOT_SAID, _IN_TRUTH)
            if (match := one.search(masked))
        ),
        None,
    )
    # Blanks instead keep the places of quotations.
    left = masked if should is None else _blank(masked, should)
    if beside := _BESIDE.search(left):
        answer = said(beside, "after", "before", "bare")
    elif match := _ANSWER.search(left) or _SAID.search(left):
        answer = said(match, "answer")
    else:
        others = (one[:LONGEST_ANSWER] for one in quotes if one != asked)
        answer = None if should else next(others, None)
    return answer, said(should, "instead") if should else None


def _blank(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " * len(match[0]) + text[match.end() :]


def _openly(masked: str) -> str | None:
    """A question within the request, in its own words."""
    if match := _ASKED.search(masked) or _ASKED_OPENLY.search(masked):
        question = _cut(match["question"] or match["plain"])
        own = _OF_MODEL.search(question) or not set(question.lower().split()) - _NOTHING_ASKED
        if not own:
            return _ended(_directly(question))
    if (match := _WHETHER.search(in_full(masked))) and (asked := proposition(match["clause"])):
        return asked.question
    if match := _ABOUT.search(masked):
        return _about(match["what"].lower(), match["thing"])
    return None


_GOING_ON = rule(rf"^(?:(?:and|but|now|so|what\s+about)\b[\s,:]*)*(?P<question>{_ASK}\s+.+?)\W*$")


def question_in(masked: str) -> str | None:
    """A question that goes on from another: `and is there a cat?`."""
    match = _GOING_ON.match(masked)
    if match is None or not set(match["question"].lower().split()) - _NOTHING_ASKED:
        return None
    return None if "<" in match["question"] else _ended(match["question"])


def _directly(question: str) -> str:
    """With its verb in front of its subject."""
    if match := _INDIRECT.fullmatch(question):
        return f"{match['wh']} {match['verb']} {match['subject']} {match['rest']}"
    return question


def _about(what: str, thing: str | None) -> str | None:
    if what in ("place", "scene", "location"):
        return "where is this?"
    if thing is None:
        return None
    asked = "what is the {} made of?" if what == "material" else "what color is the {}?"
    return asked.format(thing.lower())


def _ended(question: str) -> str:
    return f"{question.rstrip('?.! ')}?"


def _cut(text: str) -> str:
    """Without the picture, and without what comes after."""
    return _PICTURE_ON.sub("", text).strip(" ?.,;:!-")
