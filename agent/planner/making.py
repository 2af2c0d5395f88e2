"""Tasks made of what a request says, once it is known what it asks for.

For each intent there is one function; it raises `Lacking` with the words for what is missing.
Knows what each task needs; nothing of how intents are told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations

from agent.plan import (
    MOST,
    Compare,
    ExplainFinding,
    Find,
    Fix,
    Investigate,
    Label,
    Report,
    SearchFindings,
    Why,
)
from agent.planner.behaviours import Behaviour, behaviour_in
from agent.planner.coders import load, train
from agent.planner.context import Context, points
from agent.planner.english import RECORD, SAY, UNIT, rule, words
from agent.planner.made import Lacking, Made, changed, checked
from agent.planner.numbers import FEW, endless
from agent.planner.questions import reported
from agent.planner.remarks import TELLING
from agent.planner.slots import Slots, quoted, without_standing
from agent.planner.words import concept_in, topic_in, words_left
from tools.picture_id import PictureId

_LIKE = rule(
    r"""\b(?:like|similar\s+to|near(?:est|by)?(?:\s+to)?|close(?:st)?\s+to|correlat\w+\s+with
    |neighbou?rs\s+of|related\s+to)\s+<feature>"""
)


def investigate(slots: Slots, context: Context) -> Made:
    """Few features one by one, many in a batch."""
    _refuse_vagueness(slots)
    features = slots.features or context.referred(slots.masked)
    if slots.most is not None or (not features and slots.count is not None):
        return label(slots, context)
    if not features:
        raise Lacking("It does not say which feature is meant")
    if len(features) > FEW:
        made = label(slots, context)
        many = f"{len(features)} features are labelled; up to {FEW} would be investigated"
        return Made(made.tasks, (*made.assumed, many))
    return Made((checked(Investigate, features=features),))


def label(slots: Slots, context: Context) -> Made:
    """A list, or the most active ones."""
    _refuse_vagueness(slots)
    features = slots.features or (() if slots.most else context.referred(slots.masked))
    if features:
        if len(features) > MOST:
            raise Lacking(f"At most {MOST} features are labelled at once")
        return Made((checked(Label, features=features),))
    if slots.most is not None:
        return Made((checked(Label, active=slots.most),))
    if slots.count is not None and not _UNTOLD.search(slots.masked):
        assumed = f"the {slots.count} features are those that fire on the most pictures"
        return Made((checked(Label, active=slots.count),), (assumed,))
    raise Lacking("It does not say which features are to be labelled")


def _refuse_vagueness(slots: Slots) -> None:
    if endless(slots.text):
        raise Lacking("It does not say where the features end, such as `features 100-199`")
    if len(slots.features) == 1 and _LIKE.search(slots.masked):
        raise Lacking("Features are found for words and pictures, not by their likeness to others")


_UNTOLD = rule(r"\b(?:last|random\w*|arbitrary|rarest|least|other|remaining|next|more)\b")
"""So many features, and nobody says which."""
_ONE_WITH = rule(
    r"<feature>\s+(?:with|to|against|versus|vs\.?|from)\s+(?:each\s+of\s+)?<(?:pair|list)>"
)
"""`5 with 7, 8 and 9`: the first one with each of the others."""
_IT = rule(r"\b(?:it|this|that)\b")


def compare(slots: Slots, context: Context) -> Made:
    """Two features, or each of a few with each."""
    features = slots.numbers.pair
    if len(features) == 1:
        known = context.referred(slots.masked) or context.features
        features = (*(one for one in known[-1:] if one != features[0]), *features)
    elif not features:
        features = context.referred(slots.masked)
        if len(features) == 1 and _IT.search(slots.masked):
            features = tuple(dict.fromkeys((*context.features[-1:], *features)))
        features = features if len(features) >= 2 else context.pair()
    if len(features) < 2:
        raise Lacking("It does not say which two features are to be compared")
    if len(features) > 4:
        raise Lacking(f"Features are compared two by two, and {len(features)} are too many")
    pairs = list(combinations(features, 2))
    if _ONE_WITH.search(slots.masked):
        pairs = [pair for pair in pairs if pair[0] == features[0]]
    tasks = tuple(checked(Compare, one=a, other=b) for a, b in pairs)
    return Made(tasks, ("two features are compared at a time",) if len(tasks) > 1 else ())


def find(slots: Slots, context: Context) -> Made:
    """For a concept, or for what a picture shows."""
    wanted = slots.count or slots.most
    count: dict[str, int] = {} if wanted is None else {"count": wanted}
    if pictures := _pictures(slots, context):
        found = (checked(Find, picture=picture, **count) for picture in pictures)
        return Made(tuple(found), granted(slots))
    words = quoted(slots) or concept_in(slots.masked) or words_left(slots.masked)
    if words is None and context.picture is not None and _IN_IT.search(slots.masked):
        return Made((checked(Find, picture=context.picture, **count),))
    if words is None and isinstance(context.last, Find) and _OTHERS.search(slots.masked):
        further = min(wanted or 2 * context.last.count, MOST_FOUND)
        return Made((changed(context.last, count=further),), ("further ones follow the best",))
    if words is None:
        raise Lacking("It does not say which concept, word or picture the features are for")
    return Made((checked(Find, words=words, **count),))


_OTHERS = rule(
    rf"""\b(?:other|more|further|additional)\s+(?:{UNIT}|ones)\b
    (?:\s+(?:for|like|about|of)\s+(?:that|it|this|those|them|the\s+same))?\W*$"""
)
"""`Other features for that`."""
MOST_FOUND = 100


def why(slots: Slots, context: Context) -> Made:
    """One picture and one question."""
    told, before = reported(slots.masked, slots.quotes), context.why
    pictures = _pictures(slots, context)
    spoken_of = before or slots.quotes or _IN_IT.search(slots.masked)
    if not pictures and context.picture is not None and spoken_of:
        pictures = (context.picture,)
    if not pictures:
        if slots.quotes or behaviour_in(slots.text).thing is None:
            raise Lacking("It does not say which picture is meant, such as `test picture 17`")
        made = fix(slots, context)
        return Made(made.tasks, (*made.assumed, "no picture is named, so many are looked at"))
    if before and pictures == (before.picture,) and told.question is None:
        told = told._replace(
            answer=told.answer or before.answer, instead=told.instead or before.instead
        )
    question = told.question or (before.question if before else None)
    if question is None:
        raise Lacking(f"It does not say what the model was asked about picture {pictures[0]}")
    tasks = (
        checked(Why, picture=one, question=question, answer=told.answer, instead=told.instead)
        for one in pictures
    )
    return Made(tuple(tasks), granted(slots))


def fix(slots: Slots, context: Context) -> Made:
    """What is seen wrongly, in the asker's words and taken apart."""
    seen = behaviour_in(slots.text)
    if seen.thing is None and (before := _behaviour_before(context)) is not None:
        return Made((before,))
    if seen.thing is None and not _says_what(slots.masked):
        raise Lacking("It does not say what the model does wrong")
    return Made((checked(Fix, behaviour=slots.text, thing=seen.thing, place=seen.place),))


_IN_IT = rule(r"\b(?:in|on|about|of|for)\s+(?:it|this|that|there)\b | \b(?:there|here)\W*$")
_NOTHING_SAID = words(
    """a an the it this that these those is are was do does did don t what why how can could you
    we i me my our there here in on at of to for from with and or so please find fix fixed
    repair mend stop make get cure remedy way recipe problem model models network behaviour
    behavior mistake mistakes error errors wrong hallucination hallucinations hallucinate
    hallucinates hallucinating say says said saying answer answers see sees think thinks keep
    keeps always again be been"""
)


def _says_what(masked: str) -> bool:
    """Whether more is said than that something is wrong."""
    return len(set(re.findall(r"[a-z]+", masked.lower())) - _NOTHING_SAID) > 1


def _behaviour_before(context: Context) -> Fix | None:
    """What the request before was about, as something to mend."""
    if isinstance(context.last, Fix):
        return context.last
    if (asked := context.why) is None:
        return None
    said = f", and the model says {asked.answer}" if asked.answer else ""
    behaviour = f"{asked.question}{said} (picture {asked.picture})"
    seen = behaviour_in(asked.question) if asked.answer in (None, "yes") else Behaviour(None, None)
    return checked(Fix, behaviour=behaviour, thing=seen.thing, place=seen.place)


def search(slots: Slots, context: Context) -> Made:
    """Words, a status, or both."""
    count: dict[str, int] = {} if slots.count is None else {"count": slots.count}
    words = quoted(slots) or topic_in(without_standing(slots.masked))
    if words is None and slots.features:
        return explain_finding(slots, context)
    if words is None and slots.standing is None:
        words = words_left(slots.masked)
    if words is None and slots.standing is None:
        raise Lacking("It does not say what findings are to be searched for")
    if words is None and isinstance(context.last, SearchFindings) and _goes_on(slots):
        return Made((changed(context.last, status=slots.standing, **count),))
    return Made((checked(SearchFindings, words=words, status=slots.standing, **count),))


_OF_THEM = rule(r"\b(?:ones|them|these|those|only|just)\b")
_OF_ALL = rule(rf"\b(?:{RECORD}|{UNIT}|all|everything|anything)\b")


def _goes_on(slots: Slots) -> bool:
    """Whether a status is that of findings searched for before: `which of those were refuted?`."""
    return bool(_OF_THEM.search(slots.masked)) or not _OF_ALL.search(slots.masked)


_OF_MODEL = rule(rf"\b(?:it|the\s+(?:model|network|lmm|vlm))\s+(?:\w+ly\s+)?{SAY}\b")
"""What a model says is no finding."""
_SOME_RECORD = rule(rf"\b(?:{RECORD}|you|your|last|latest)\b")
_LATEST = rule(r"\b(?:last|latest|newest|most\s+recent)\b(?!\s+(?:one|two|three|\d)\b)")


def explain_finding(slots: Slots, context: Context) -> Made:
    """By its id, by its feature, or the latest one."""
    if slots.findings:
        return Made(tuple(checked(ExplainFinding, finding=one) for one in slots.findings))
    features = slots.features
    if not features and not _LATEST.search(slots.masked):
        features = context.referred(slots.masked)
        if not features and points(slots.masked):
            raise Lacking("It does not say which of the features is meant")
        features = features or context.features
        if len(features) <= 1 and context.finding is not None:
            return Made((checked(ExplainFinding, finding=context.finding),))
    if len(features) > 8:
        raise Lacking(f"It does not say which of the {len(features)} findings is meant")
    if not features:
        if _OF_MODEL.search(slots.masked) and not _LATEST.search(slots.masked):
            raise Lacking("It does not say which picture is meant, such as `test picture 17`")
        if slots.count is not None or not _SOME_RECORD.search(slots.masked):
            raise Lacking("It does not say which finding is meant")
        return Made((ExplainFinding(),), ("the latest finding is meant",))
    return Made(tuple(checked(ExplainFinding, feature=feature) for feature in features))


def report(slots: Slots, context: Context) -> Made:
    """Nothing is needed."""
    del context
    if TELLING.fullmatch(slots.text):
        raise Lacking("It says how something is, and asks for nothing")
    if slots.pictures.named or slots.quotes:
        raise Lacking("It does not say what is to be done with the picture or the words")
    return Made((Report(),))


def _pictures(slots: Slots, context: Context) -> tuple[PictureId, ...]:
    """Those that are named, or `this picture`."""
    if slots.pictures.shown and not slots.pictures.named and context.picture is not None:
        return (context.picture,)
    return slots.pictures.named


def granted(slots: Slots) -> tuple[str, ...]:
    """What is taken for granted of pictures."""
    bare = [one for one in slots.pictures.named if one.split == "explore" and one.artefact is None]
    if not slots.pictures.taken_for_granted:
        return ()
    return tuple(f"picture {one.number} is the explore split's" for one in bare)


Maker = Callable[[Slots, Context], Made]
MAKERS: dict[str, Maker] = {
    "investigate": investigate,
    "label": label,
    "compare": compare,
    "find": find,
    "why": why,
    "fix": fix,
    "search": search,
    "explain_finding": explain_finding,
    "train": train,
    "load": load,
    "status": report,
}
