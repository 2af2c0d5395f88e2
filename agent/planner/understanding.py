"""A request understood: cut into its parts, each part's intent told, its tasks made.

Knows how sure one has to be; intents, slots and tasks are known by their own modules.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.plan import Find, Fix, Investigate, Label, LoadSae, SearchFindings, TrainSae, Why
from agent.planner.classifier import Ranked
from agent.planner.clauses import Clause, clauses
from agent.planner.context import Context
from agent.planner.english import CODER, COMMAND, rule
from agent.planner.following import again
from agent.planner.intents import NONE, SAME, classifier
from agent.planner.made import Lacking, Made
from agent.planner.making import MAKERS, Maker
from agent.planner.remarks import (
    ASKING,
    BACK,
    BEFOREHAND,
    GOING_ON,
    LATER,
    MODEL_SAYS,
    REMARK,
    TELLING,
    WHERE,
    WONDERING,
)
from agent.planner.slots import Slots, slots_in
from agent.planner.tidying import tidied

FLOOR = 0.25
"""A score below this is no likeness to anything."""
CLOSE = 0.2
"""Intents whose scores are so close are told apart by what they need."""
NEAR_NOTHING = 0.05
"""So far ahead an intent has to be of nothing that the agent does."""
OF_FEATURES = frozenset({"investigate", "label", "compare", "explain_finding", SAME})
OF_PICTURES = frozenset({"find", "why", "fix", SAME})
MOST_TASKS = 8
MOST_CLAUSES = 24
OUT_OF_SCOPE = "This is nothing that the agent does, as far as it understands the request"
_MAKERS: dict[str, Maker] = {**MAKERS, SAME: again}
_CODER, _VERB = rule(rf"\b{CODER}\b"), rule(rf"\b{COMMAND}\b")


class Unclear(NamedTuple):
    """Not understood, and why."""

    why: str


class _Part(NamedTuple):
    """A clause that means something."""

    clause: Clause
    slots: Slots
    made: Made
    before: Context


def understood(request: str, context: Context) -> Made | Unclear:
    """The tasks that a request asks for, in order."""
    text = tidied(request)
    parts = _parts(text, context) if text else Unclear(OUT_OF_SCOPE)
    if isinstance(parts, Unclear):
        return _going_on(request, context) or parts
    parts = _in_order(text, parts)
    tasks = tuple(dict.fromkeys(task for part in parts for task in part.made.tasks))
    if len(tasks) > MOST_TASKS:
        return Unclear(f"It asks for {len(tasks)} tasks at once, and at most {MOST_TASKS} are done")
    assumed = dict.fromkeys(line for part in parts for line in part.made.assumed)
    return Made(tasks, tuple(assumed))


def _in_order(text: str, parts: list[_Part]) -> list[_Part]:
    """`Label 0-9, but before you do that, tell me the costs`: as they are to be done."""
    ordered: list[_Part] = []
    for part in parts:
        first = BEFOREHAND.match(text[part.clause.start : part.clause.end])
        ordered.insert(max(len(ordered) - 1, 0) if first else len(ordered), part)
    return ordered


def _going_on(request: str, context: Context) -> Made | None:
    """`And cats?` means something after `find features for dogs`, and only there."""
    if not (context.tasks and GOING_ON.search(request)):
        return None
    try:
        return again(slots_in(tidied(context.resolved(request))), context)
    except Lacking:
        return None


def _parts(text: str, context: Context) -> list[_Part] | Unclear:
    """Each clause that means something by itself; others belong to what stands before or after."""
    found = clauses(text)
    if len(found) > MOST_CLAUSES:
        found = [Clause(0, len(text))]
    done: list[_Part] = []
    start = 0
    for clause in found:
        opening = text[start : clause.end]
        if not done and _only_tells(text, clause, context):
            # What names nothing is left out; what does may be what is meant by `it`.
            start = start if slots_in(tidied(opening)).kinds else clause.end
            continue
        if BEFOREHAND.fullmatch(opening) or (not done and WHERE.fullmatch(opening)):
            continue
        part = _told_or_asked(text, Clause(start, clause.end), clause, _after(done, context))
        wondering = WONDERING.fullmatch(text[start : clause.end])
        if isinstance(part, _Part) and done and (wondering or _goes_on(done[-1], part)):
            part = _lengthened(text, done.pop(), clause.end)
        if isinstance(part, _Part):
            done.append(part)
            start = clause.end
    tail = text[start:].strip()
    if done and isinstance(done[-1].made.tasks[-1], Find) and LATER.fullmatch(tail):
        made = done[-1].made
        later = f"`{tail}` can be asked once the features are found"
        return [*done[:-1], done[-1]._replace(made=made._replace(assumed=(*made.assumed, later)))]
    while start < len(text):
        # The end means nothing by itself, so it belongs to what stands before, or all to one.
        whole = not done
        part = (
            _part(text, Clause(0, len(text)), context)
            if whole
            else _lengthened(text, done.pop(), len(text))
        )
        if isinstance(part, _Part):
            return [*done, part]
        if whole:
            return part
    return done


def _only_tells(text: str, clause: Clause, context: Context) -> bool:
    """A sentence before those that ask, unless it tells what the model does."""
    after = clauses(text[clause.end :])
    if not TELLING.fullmatch(text[clause.start : clause.end]):
        return False
    if not any(ASKING.match(text[clause.end :], one.start, one.end) for one in after):
        return False
    part = _part(text, clause, context)
    if not isinstance(part, _Part):
        return True
    of_model = MODEL_SAYS.search(part.slots.masked) is not None
    return not isinstance(part.made.tasks[0], Fix) and not (
        of_model and isinstance(part.made.tasks[0], Why)
    )


def _told_or_asked(text: str, opening: Clause, clause: Clause, context: Context) -> _Part | Unclear:
    """What a clause asks for by itself, if it names all that was told before; or both together."""
    if opening.start < clause.start and TELLING.match(text, opening.start, clause.start):
        asked = _part(text, clause, context)
        told = slots_in(tidied(text[opening.start : clause.start])).kinds
        if isinstance(asked, _Part) and (told <= asked.slots.kinds or _complete(asked)):
            return asked
    return _part(text, opening, context)


def _complete(part: _Part) -> bool:
    """Whether it needs nothing of what was told before."""
    means_more = isinstance(part.made.tasks[0], Fix | LoadSae | TrainSae)
    return not (means_more or BACK.search(part.slots.masked))


def _after(done: list[_Part], context: Context) -> Context:
    return done[-1].before.after(done[-1].made.tasks) if done else context


def _lengthened(text: str, part: _Part, end: int) -> _Part | Unclear:
    return _part(text, Clause(part.clause.start, end), part.before)


def _goes_on(first: _Part, second: _Part) -> bool:
    """Whether a part only says more of the one before: `... on this beach? find a fix`."""
    slots = second.slots
    says_what = slots.features or slots.pictures.named or slots.quotes or slots.finding
    task, before = second.made.tasks[0], first.made.tasks[-1]
    if (
        type(task) is type(before)
        and isinstance(task, Label | Investigate)
        and not _VERB.search(slots.masked)
    ):
        return True
    if isinstance(task, TrainSae) and isinstance(before, TrainSae):
        # `Train one with 4096 features` is the same coder, unless it would have another size.
        says_what = _CODER.search(slots.text) or _contradict(before, task)
    if isinstance(task, Fix) and isinstance(before, Fix):
        says_what = says_what or (task.thing and task.place and task.thing != before.thing)
    if isinstance(task, Fix) and task.thing is None and not says_what:
        return True
    if isinstance(task, Find | SearchFindings) and REMARK.match(slots.text):
        return True
    if isinstance(task, Find | SearchFindings):
        says_what = says_what or task not in first.made.tasks
    return type(before) is type(task) and not says_what


def _contradict(one: TrainSae, other: TrainSae) -> bool:
    pairs = zip(one.model_dump().values(), other.model_dump().values(), strict=True)
    return any(a != b for a, b in pairs if a is not None and b is not None)


def _part(text: str, clause: Clause, context: Context) -> _Part | Unclear:
    """A clause, by the likeliest intent whose needs it meets."""
    slots = slots_in(tidied(context.resolved(text[clause.start : clause.end])))
    likely = candidates(classifier().ranked(slots.shape), going_on=bool(context.tasks))
    # What names features or pictures may be about them, though it is much like something else.
    if slots.features:
        likely.sort(key=lambda one: one.name not in OF_FEATURES)
    elif slots.pictures.named:
        likely.sort(key=lambda one: one.name not in OF_PICTURES)
    why = ""
    for one in likely:
        try:
            return _Part(clause, slots, _MAKERS[one.name](slots, context), context)
        except Lacking as reason:
            # What the likeliest one lacks is what the asker has to hear.
            why = why or str(reason)
    return Unclear(why or OUT_OF_SCOPE)


def candidates(ranked: list[Ranked], going_on: bool = True) -> list[Ranked]:
    """The intents that it may be, best first; none where it may be nothing at all.

    What goes on from nothing is likely something by itself.
    """
    alone = next(one.score for one in ranked if one.name != SAME)
    best = ranked[0].score if going_on or alone < FLOOR else alone
    nothing = next(one.score for one in ranked if one.name == NONE)
    if best < FLOOR or best < nothing + NEAR_NOTHING:
        return []
    return [one for one in ranked if one.score >= best - CLOSE and one.name != NONE]
