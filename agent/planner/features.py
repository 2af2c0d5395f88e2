"""Tasks about features: what they respond to, how they differ, which ones there are for something.

For each intent there is one function; it raises `Lacking` with the words for what is missing.
Knows what each task needs; nothing of how intents are told.
"""

from __future__ import annotations

from itertools import combinations

from agent.plan import MOST, Compare, Find, Investigate, Label
from agent.planner.context import Context, within
from agent.planner.english import UNIT, rule
from agent.planner.made import Lacking, Made, changed, checked
from agent.planner.numbers import FEW, endless
from agent.planner.slots import Slots, quoted
from agent.planner.words import concept_in, words_left

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
    if pictures := context.pictures(slots.pictures):
        found = (checked(Find, picture=picture, **count) for picture in pictures)
        return Made(tuple(found), slots.pictures.assumed)
    words = quoted(slots) or concept_in(slots.masked) or words_left(slots.masked)
    if words is None and context.picture is not None and within(slots.masked):
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
