"""Tasks about what is known already: findings, one finding, how things stand.

For each intent there is one function; it raises `Lacking` with the words for what is missing.
Knows what each task needs; nothing of how intents are told.
"""

from __future__ import annotations

from agent.plan import ExplainFinding, Report, SearchFindings
from agent.planner.context import Context, points
from agent.planner.english import RECORD, SAY, UNIT, rule
from agent.planner.made import Lacking, Made, changed, checked
from agent.planner.remarks import TELLING
from agent.planner.slots import Slots, quoted
from agent.planner.standings import without_standing
from agent.planner.words import topic_in, words_left


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
