"""What a request may refer to without naming it: `it`, `them`, `the second one`, `the same`.

Knows earlier tasks and what their answers named; nothing of how a request is understood.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.plan import (
    Compare,
    ExplainFinding,
    Find,
    Fix,
    Investigate,
    Label,
    SearchFindings,
    Task,
    Why,
)
from agent.planner.conversation import Heard, Named
from agent.planner.english import either, rule
from agent.planner.pictures import Pictures
from tools.picture_id import PictureId

_ORDINALS = {
    "first": 0,
    "1st": 0,
    "former": 0,
    "top": 0,
    "best": 0,
    "strongest": 0,
    "second": 1,
    "2nd": 1,
    "runner-up": 1,
    "winner": 0,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "last": -1,
    "latter": -1,
}
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5}
_SEVERAL = rule(r"\b(first|top|best|last|strongest)\s+(\d+|two|three|four|five)\b")
_PLACE = rf"({'|'.join(_ORDINALS)})\b(?!\s+(?:findings?|results?|verdicts?|labels?)\b)"
_ORDINAL = rule(rf"\bthe\s+{_PLACE}")
_ORDINALS_OF = rule(rf"(?:\bthe\s+|(?:\b(?:and|or|with|to)|[,&])\s+(?:the\s+)?){_PLACE}")
_ALL_BUT = rule(
    rf"""\b(?:except|without|minus|but\s+not|(?<=\ball\s)but|leaving\s+out|skip(?:ping)?)
    \s+(?:for\s+)?the\s+{_PLACE}"""
)
_ALL_OF_SO_MANY = r"all\s+(?:of\s+)?(?:the\s+)?(?:two|three|four|five|\d+)"
_PRONOUN = rule(
    rf"""\b(?:it|its|this|that|them|they|their|these|those|both|the\s+two|{_ALL_OF_SO_MANY}|each\s+other|one|
    the\s+(?:same\s+)?features?|all\s+of\s+them|the\s+lot|the\s+(?:claim|hypothesis|hunch|idea))\b"""
)


_OF_OTHERS = either(
    """findings? results? verdicts? labels? pictures? images? photos? questions? answers? runs?
    layers? saes? tokens? times? words? most"""
)
_REFERENCE = rule(
    rf"""\b(?:all\s+of\s+(?:them|these|those) | them\s+all | (?:that|this)\s+feature
    | (?:all\s+)?(?:these|those)\s+(?:(?:two|three|four|five)\s+)?features?
    | (?<!of\s)(?:them|these|those)
      (?=\W*$|\s+(?:respond|react|mean|do|detect|fire|look|stand|see|too|again)\b)
    | (?:both|the\s+two|{_ALL_OF_SO_MANY})(?:\s+(?:of\s+(?:them|these|those)|features))?
    | the\s+(?:first|top|best|last|strongest)\s+(?:\d+|two|three|four|five)
      (?:\s+(?:ones|features|of\s+(?:them|these|those)))?(?!\s+(?:most|{_OF_OTHERS}))
    | the\s+(?:{"|".join(_ORDINALS)})(?:\s+(?:one|feature))?(?!\s+(?:\d|{_OF_OTHERS}))
    )\b"""
)
_TO_EXPERIMENT = rule(
    r"\b(?:investigat\w*|label\w*|compar\w*|steer\w*|differ\w*|same|fires?|firing)\b"
)

_WITHIN = rule(r"\b(?:in|on|about|of|for)\s+(?:it|this|that|there)\b | \b(?:there|here)\W*$")


class Context(NamedTuple):
    """What was spoken of."""

    tasks: tuple[Task, ...] = ()
    """Of the latest request that was understood."""
    named: tuple[Named, ...] = ()
    """What the answer to it named."""
    mentioned: tuple[int, ...] = ()
    """Features in the order in which they were last spoken of."""
    listed: tuple[int, ...] = ()
    """Features of the latest answer that named some: `the second` is one of them."""

    def after(self, tasks: tuple[Task, ...], named: tuple[Named, ...] = ()) -> Context:
        """The context one request later."""
        if not tasks:
            return self
        listed = tuple(one.feature for one in named if one.feature is not None)
        fresh = (*_features_of(tasks), *listed)
        older = (one for one in self.mentioned if one not in fresh)
        return Context(tasks, named, (*older, *dict.fromkeys(fresh)), listed or self.listed)

    @property
    def features(self) -> tuple[int, ...]:
        """What `them` are: the features that the answer named, or those that were asked about."""
        told = tuple(dict.fromkeys(one.feature for one in self.named if one.feature is not None))
        return told or _features_of(self.tasks) or self.mentioned[-1:]

    @property
    def finding(self) -> str | None:
        """What `that` is, where an answer named one finding."""
        ids = dict.fromkeys(one.finding for one in self.named if one.finding is not None)
        return next(iter(ids)) if len(ids) == 1 else None

    @property
    def picture(self) -> PictureId | None:
        """What `this picture` is."""
        shown = (one.picture for one in reversed(self.tasks) if isinstance(one, Why | Find))
        return next((one for one in shown if one is not None), None)

    def pictures(self, spoken_of: Pictures) -> tuple[PictureId, ...]:
        """Those that a text names, or `this picture`."""
        if spoken_of.shown and not spoken_of.named and self.picture is not None:
            return (self.picture,)
        return spoken_of.named

    @property
    def why(self) -> Why | None:
        """The answer of the model that was asked about."""
        return next((one for one in reversed(self.tasks) if isinstance(one, Why)), None)

    @property
    def last(self) -> Task | None:
        """What `the same` is."""
        return self.tasks[-1] if self.tasks else None

    def referred(self, text: str) -> tuple[int, ...]:
        """The features that a text means without their numbers."""
        if several := _SEVERAL.search(text):
            count = _COUNTS.get(several[2].lower()) or int(several[2])
            return self.features[-count:] if several[1].lower() == "last" else self.features[:count]
        if (left_out := _ALL_BUT.search(text)) and len(self.features) > 1:
            dropped = self.features[_ORDINALS[left_out[1].lower()]]
            return tuple(one for one in self.features if one != dropped)
        if _ORDINAL.search(text) and self.features:
            choice = self.features if len(self.features) > 1 else self.listed or self.features
            places = [_ORDINALS[one[1].lower()] for one in _ORDINALS_OF.finditer(text)]
            if max(places) >= len(choice):
                return ()
            return tuple(dict.fromkeys(choice[place] for place in places))
        return self.features if _PRONOUN.search(text) else ()

    def resolved(self, text: str) -> str:
        """The text with what it means by `the second one`, `both` or `these features` instead."""
        return _REFERENCE.sub(lambda match: self._instead_of(match[0], text), text)

    def _instead_of(self, reference: str, text: str) -> str:
        meant = self.referred(reference)
        alone = reference.lower() in ("them", "these", "those")
        if not meant or (alone and (len(meant) < 2 or isinstance(self.last, Why | Fix))):
            return reference
        found = {one.feature: one.finding for one in self.named if one.finding}
        searched = isinstance(self.last, SearchFindings) and not _TO_EXPERIMENT.search(text)
        if searched and len(meant) == 1 and (finding := found.get(meant[0])):
            return f"finding {finding}"
        kind = "feature" if len(meant) == 1 else "features"
        return f"{kind} {', '.join(map(str, meant))}"

    def pair(self) -> tuple[int, ...]:
        """The two that `them` are: of the latest request, or the latest two of the conversation."""
        return self.features if len(self.features) >= 2 else self.mentioned[-2:]


def points(text: str) -> bool:
    """Whether a text means one of several by its place, such as `the third one`."""
    return _ORDINAL.search(text) is not None


def within(text: str) -> bool:
    """Whether a text speaks of what is in something, such as `which features fire there?`."""
    return _WITHIN.search(text) is not None


def remembered(heard: Heard) -> Context:
    """The context that a conversation leaves."""
    context = Context()
    for tasks, named in zip(heard.tasks, heard.findings, strict=True):
        context = context.after(tasks, named)
    return context


def _features_of(tasks: tuple[Task, ...]) -> tuple[int, ...]:
    found: list[int] = []
    for task in tasks:
        match task:
            case Investigate() | Label():
                found += task.features
            case Compare():
                found += (task.one, task.other)
            case ExplainFinding(feature=int(feature)):
                found.append(feature)
    return tuple(dict.fromkeys(found))
