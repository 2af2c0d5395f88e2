"""Requests that go on from the one before, such as `same for 13`, `the next ten`, `half the k`.

Knows what of each task may be asked anew; which features and findings `them` are, the context
knows.
"""

from __future__ import annotations

import re

from agent.plan import (
    MOST,
    Compare,
    ExplainFinding,
    Find,
    Fix,
    Investigate,
    Label,
    SearchFindings,
    Task,
    TrainSae,
    Why,
)
from agent.planner.behaviours import behaviour_in
from agent.planner.context import Context
from agent.planner.edges import bare_words
from agent.planner.english import UNIT, rule
from agent.planner.features import compare, investigate, label
from agent.planner.made import Lacking, Made, changed, checked
from agent.planner.questions import question_in
from agent.planner.records import explain_finding
from agent.planner.sizes import sizes_in
from agent.planner.slots import Slots, quoted
from agent.planner.words import topic_in
from tools.picture_id import PictureId


def again(slots: Slots, context: Context) -> Made:
    """The task before, with what is named now instead."""
    last = context.last
    if last is None:
        if slots.features and not slots.bare:
            made = investigate(slots, context)
            return Made(made.tasks, (*made.assumed, "the question is what it responds to"))
        raise Lacking("Nothing was asked before that it could go on from")
    if (altered := _altered(last, slots)) is not None:
        return Made((altered,))
    if slots.features:
        return _for_features(last, slots, context)
    if slots.standing and isinstance(last, SearchFindings):
        told = {} if slots.count is None else {"count": slots.count}
        return Made((changed(last, status=slots.standing, **told),))
    if slots.pictures.named:
        return _for_pictures(last, slots)
    if isinstance(last, Why) and (asked := slots.quote or question_in(slots.masked)):
        return Made((changed(last, question=asked, answer=None, instead=None),))
    words = quoted(slots) or topic_in(slots.masked) or _bare_words(slots.masked)
    if words and (meant := context.referred(words)):
        raise Lacking(f"It does not say what is to be done with {len(meant)} features")
    count = {} if slots.count is None else {"count": slots.count}
    if words and isinstance(last, Find):
        return Made((changed(last, words=words, picture=None, **count),))
    if words and isinstance(last, SearchFindings):
        return Made((changed(last, words=words, **count),))
    if count and isinstance(last, Find | SearchFindings):
        return Made((changed(last, **count),))
    if words:
        raise Lacking(f"It does not say what is to be done about {words}")
    return Made(context.tasks, ("all of it is done again",))


def _altered(last: Task, slots: Slots) -> Task | None:
    """The same task with other sizes, another count, further features or another thing seen."""
    sizes = _sizes(slots) if isinstance(last, TrainSae) else {}
    if sizes := sizes or _scaled(last, slots.text):
        return changed(last, **sizes)
    if isinstance(last, Fix) and not slots.features:
        return _seen_too(last, slots)
    if isinstance(last, Label) and last.active is not None and slots.count is not None:
        return changed(last, active=slots.count)
    if _REVISED.search(slots.masked) and len(slots.features) == 1:
        if isinstance(last, Label) and last.active is not None:
            return changed(last, active=slots.features[0])
        if isinstance(last, Find | SearchFindings):
            return changed(last, count=slots.features[0])
    return _further(last, slots)


def _sizes(slots: Slots) -> dict[str, int | str]:
    """What is said of a training that goes on from another."""
    said = sizes_in(slots.text, training=True).sizes._asdict()
    return {name: value for name, value in said.items() if value is not None}


_TIMES = rule(
    rf"""\b(?P<how>half|halve|a\s+quarter|twice|double|triple|thrice|quadruple)\b\s*
    (?:(?:of|the|as|its)\s+)*(?:many\s+)?(?P<what>k|{UNIT}|width|tokens?|that|it|many)\b"""
)
_FACTORS = {"h": 0.5, "a": 0.25, "tw": 2, "d": 2, "t": 3, "q": 4}


def _scaled(last: Task, text: str) -> dict[str, int]:
    """`Half the k`, `twice as many`: of what it was before."""
    scaled = {}
    for match in _TIMES.finditer(text):
        name, how = _sized_by(last, match["what"].lower()), match["how"].lower()
        factor = next(_FACTORS[start] for start in (how[:2], how[:1]) if start in _FACTORS)
        if isinstance(before := getattr(last, name, None), int):
            scaled[name] = round(before * factor)
    return scaled


def _sized_by(last: Task, what: str) -> str:
    """The argument that is meant."""
    match last:
        case TrainSae():
            return what if what == "k" else "tokens" if what.startswith("tok") else "features"
        case Label():
            return "active"
        case _:
            return "count"


_THING_IN_PLACE = rule(r"(?!(?:for|with|about|of|on|in|at)\b)[\w-]+(?:\s[\w-]+)?\s(?:in|on|at)\s.+")
_OF_WHAT = rule(r"\b(?:for|with|about|of|on|in)\s+.+")


def _seen_too(last: Fix, slots: Slots) -> Fix | None:
    """`The same for boats in the desert`; the place is the last one's where none is said."""
    match = _OF_WHAT.search(slots.masked)
    told = _bare_words(slots.masked)
    if match and not (told and _THING_IN_PLACE.fullmatch(told)):
        told = match[0]
    if told is None:
        return None
    where = re.match(r"(?:on|in)\s", told, re.I)
    seen = behaviour_in(told if where else f"it sees {re.sub(r'^(?:for|with|about|of)', '', told)}")
    if seen.thing is None and seen.place is None:
        return None
    thing, place = seen.thing or last.thing, seen.place or last.place
    return checked(Fix, behaviour=slots.text, thing=thing, place=place)


_NEXT = rule(r"\b(?:next|following|another|further)\s+<count>")
_SO_MANY_MORE = rule(
    r"\W*(?:(?:please|and|now|so)\s+)*(?:continue|go\s+on|carry\s+on|keep\s+going|more)\W*"
)
_ON_TO = rule(
    rf"""\b(?:continue|go\s+on|carry\s+on|proceed|keep\s+(?:going|on)|extend)\b\D*?
    \b(?:to|until|till|through)\s+(?:{UNIT}\s+)?(\d+)\b"""
)
_REVISED = rule(
    r"""\b(?:make\s+(?:it|that|them)|rather|better|instead|change\s+(?:it|that)\s+to|no,
    |only|just|top|max(?:imum)?|at\s+most)"""
)


def _further(last: Task, slots: Slots) -> Task | None:
    """`The next ten`, or `continue up to 80`, after the features of the request before."""
    if not (isinstance(last, Label | Investigate) and last.features):
        return None
    start = max(last.features) + 1
    if _SO_MANY_MORE.fullmatch(slots.masked):
        return changed(last, features=tuple(range(start, start + len(last.features))))
    if slots.count and _NEXT.search(slots.masked):
        return changed(last, features=tuple(range(start, start + slots.count)))
    if (up_to := _ON_TO.search(slots.text)) and start <= int(up_to[1]) < start + MOST:
        return changed(last, features=tuple(range(start, int(up_to[1]) + 1)))
    return None


def _for_features(last: Task, slots: Slots, context: Context) -> Made:
    match last:
        case Label():
            return label(slots, context)
        case ExplainFinding():
            return explain_finding(slots, context)
        case (
            Find(picture=PictureId(split=str(split))) | Why(picture=PictureId(split=str(split)))
        ) if slots.bare:
            named = tuple(PictureId(split=split, number=one) for one in slots.features)
            return _for_pictures(
                last, slots._replace(pictures=slots.pictures._replace(named=named))
            )
        case Compare() if len(slots.numbers.pair) == 1:
            return Made((checked(Compare, one=last.one, other=slots.features[0]),))
        case Compare():
            return compare(slots, context)
        case _:
            return investigate(slots, context)


def _for_pictures(last: Task, slots: Slots) -> Made:
    pictures: tuple[PictureId, ...] = slots.pictures.named
    if isinstance(last, Why):
        # The answer was the other picture's.
        tasks = tuple(changed(last, picture=one, answer=None, instead=None) for one in pictures)
    elif isinstance(last, Find):
        tasks = tuple(changed(last, picture=one, words=None) for one in pictures)
    else:
        raise Lacking(f"It does not say what is to be done with picture {pictures[0]}")
    return Made(tasks, slots.pictures.assumed)


_FILLING = rule(
    r"""^(?:(?:and|what|how|about|same|the|for|with|do|that|it|again|also|now|try|repeat|this|once|
    more|run|no|instead|rather|i\s+(?:meant|mean)|look)\b[\s,:;.-]*)+
    | \s*\b(?:too|as\s+well|instead|again|then)\b | [?.!,;:]+$"""
)


def _bare_words(masked: str) -> str | None:
    """What is left of `and cats?`."""
    return bare_words(_FILLING.sub(" ", masked).strip())
