"""Tasks made of what a request says, once it is known what it asks for.

For each intent there is one function; it raises `Lacking` with the words for what is missing.
Knows what each task needs; nothing of how intents are told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from agent.plan import (
    MOST,
    Compare,
    ExplainFinding,
    Find,
    Fix,
    Investigate,
    Label,
    LoadSae,
    Report,
    SearchFindings,
    Task,
    TrainSae,
    Why,
)
from agent.planner.behaviours import Behaviour, behaviour_in
from agent.planner.context import Context
from agent.planner.english import CODER, RECORD, SAY, UNIT, rule, words
from agent.planner.numbers import FEW
from agent.planner.questions import reported
from agent.planner.sizes import sizes_in
from agent.planner.slots import Slots, without_standing
from agent.planner.words import concept_in, topic_in
from tools.picture_id import PictureId

T = TypeVar("T", bound=Task)


class Lacking(Exception):
    """A request does not say what its task needs."""


class Made(NamedTuple):
    """Tasks, and what was taken for granted."""

    tasks: tuple[Task, ...]
    assumed: tuple[str, ...] = ()


def checked(kind: Callable[..., T], **arguments: Any) -> T:
    """A task, or what is wrong with the values that the request gives for it."""
    try:
        return kind(**arguments)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Lacking("; ".join(faults)) from error


def investigate(slots: Slots, context: Context) -> Made:
    """Few features one by one, many in a batch."""
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
    features = slots.features or (() if slots.most else context.referred(slots.masked))
    if features:
        if len(features) > MOST:
            raise Lacking(f"At most {MOST} features are labelled at once")
        return Made((checked(Label, features=features),))
    if slots.most is not None:
        return Made((checked(Label, active=slots.most),))
    if slots.count is not None:
        assumed = f"the {slots.count} features are those that fire on the most pictures"
        return Made((checked(Label, active=slots.count),), (assumed,))
    raise Lacking("It does not say which features are to be labelled")


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
    tasks = tuple(checked(Compare, one=a, other=b) for a, b in combinations(features, 2))
    return Made(tasks, ("each of them is compared with each other one",) if len(tasks) > 1 else ())


def find(slots: Slots, context: Context) -> Made:
    """For a concept, or for what a picture shows."""
    wanted = slots.count or slots.most
    count: dict[str, int] = {} if wanted is None else {"count": wanted}
    if pictures := _pictures(slots, context):
        found = (checked(Find, picture=picture, **count) for picture in pictures)
        return Made(tuple(found), granted(slots))
    words = quoted(slots) or concept_in(slots.masked)
    if words is None:
        raise Lacking("It does not say which concept, word or picture the features are for")
    return Made((checked(Find, words=words, **count),))


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


_IN_IT = rule(r"\b(?:in|on|about|of|for)\s+(?:it|this|that|there)\b")
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
_LATEST = rule(r"\b(?:last|latest|newest|most\s+recent)\b")


def explain_finding(slots: Slots, context: Context) -> Made:
    """By its id, by its feature, or the latest one."""
    if slots.finding is not None:
        return Made((checked(ExplainFinding, finding=slots.finding),))
    features = slots.features
    if not features and not _LATEST.search(slots.masked):
        features = context.referred(slots.masked) or context.features
        if len(features) <= 1 and context.finding is not None:
            return Made((checked(ExplainFinding, finding=context.finding),))
    if len(features) > 8:
        raise Lacking(f"It does not say which of the {len(features)} findings is meant")
    if not features:
        if _OF_MODEL.search(slots.masked) and not _LATEST.search(slots.masked):
            raise Lacking("It does not say which picture is meant, such as `test picture 17`")
        return Made((ExplainFinding(),), ("the latest finding is meant",))
    return Made(tuple(checked(ExplainFinding, feature=feature) for feature in features))


_ONE_AND_ANOTHER = rule(
    rf"""\bone\s+(?:{CODER}\s+)?(?=with|of|at|on|for)(?P<one>.+?)(?:,|\band\b|;)+\s*(?:and\s+)?
    (?:another|one|(?:the|an)\s*other|the\s+second)(?:\s+(?:one|1|{CODER}))?\s+(?=with|of|at|on|for)(?P<other>.+)"""
)


def train(slots: Slots, context: Context) -> Made:
    """Whatever is said of layer and sizes, or `one with k 16 and another with k 64`."""
    del context
    two = _ONE_AND_ANOTHER.search(slots.text)
    if two is None:
        return Made((checked(TrainSae, **slots.sizes._asdict()),))
    shared = slots.text[: two.start()]
    one, other = (sizes_in(f"{two[name]} {shared}", True).sizes for name in ("one", "other"))
    each = (one._replace(hook=one.hook or other.hook), other)
    return Made(tuple(checked(TrainSae, **sizes._asdict()) for sizes in each))


_NAME = r"(?P<name>[A-Za-z0-9][\w.:/-]*\w)"
_NAMES = (
    rule(rf"\b(?:called|named|by\s+the\s+name\s+of)\s+{_NAME}"),
    rule(
        rf"""(?<![\w/-]){CODER}\s*
        (?:[:=]|called|named|at|from|to|under|in\s+folder|with\s+the\s+name)?\s*{_NAME}"""
    ),
    rule(
        rf"""\b(?:load|open|use|import|mount|to|select|pick|take|inspect|into|get|fetch)\s+
        (?:up\s+)?(?:(?:the|my|our)\s+)?{_NAME}"""
    ),
)
_NO_NAMES = words(
    """the in of from that which with for on is are we you it and to at into as by trained used
    loaded settings now instead back again please pls plz runs folder run default profile profile's
    existing current sparse sae saes autoencoder dictionary checkpoint coder one other another
    details layer layers block my our this does do has have see say what how who was will can
    be there here up out called named target model already information info look going
    currently active most features number size"""
)


_OF_CODER = rule(rf"\b(?:{CODER}|{UNIT}|load\w*|profile|runs|trained|layer|k)\b|<layer>")


def load(slots: Slots, context: Context) -> Made:
    """A name, or the profile's."""
    del context
    named = (match["name"] for pattern in _NAMES for match in pattern.finditer(slots.text))
    name = quoted(slots) or slots.name or next((one for one in named if _is_name(one)), None)
    if name is None and not _OF_CODER.search(slots.masked):
        raise Lacking("It does not say which sparse autoencoder is meant")
    return Made((checked(LoadSae, name=name),))


def _is_name(word: str) -> bool:
    return word.lower() not in _NO_NAMES


def report(slots: Slots, context: Context) -> Made:
    """Nothing is needed."""
    del context
    if slots.pictures.named or slots.quotes:
        raise Lacking("It does not say what is to be done with the picture or the words")
    return Made((Report(),))


def quoted(slots: Slots) -> str | None:
    """The first quotation."""
    return slots.quotes[0] if slots.quotes else None


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


def changed(task: T, **changes: Any) -> T:
    """The same task with some arguments changed."""
    kept = {name: getattr(task, name) for name in type(task).model_fields}
    return checked(type(task), **(kept | changes))


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
