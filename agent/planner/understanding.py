"""A request understood: cut into its parts, and each part read.

Knows in which order clauses are tried, alone and joined; what each asks for, `readings` tells.
"""

from __future__ import annotations

import re

from agent.plan import MOST_TASKS, Find, Fix, Task, Why
from agent.planner.assumptions import left_open_by
from agent.planner.clauses import Clause, clauses
from agent.planner.context import Context
from agent.planner.following import again
from agent.planner.made import Lacking, Made
from agent.planner.parts import Part, complete, goes_on, left_aside
from agent.planner.readings import OUT_OF_SCOPE, Unclear, read
from agent.planner.remarks import (
    ASKING,
    BEFOREHAND,
    GOING_ON,
    LATER,
    MODEL_SAYS,
    TELLING,
    WHERE,
    WONDERING,
)
from agent.planner.slots import slots_in
from agent.planner.tidying import tidied

MOST_CLAUSES = 24


def understood(request: str, context: Context) -> Made | Unclear:
    """The tasks that a request asks for, in order."""
    text = tidied(request)
    parts = _parts(text, context) if text else Unclear(OUT_OF_SCOPE)
    if isinstance(parts, Unclear):
        return _going_on(request, context) or parts
    parts = _in_order(text, parts)
    if rivals := next(((part.made.tasks[0], part.rival) for part in parts if part.rival), None):
        return Unclear(f"It may ask to {' as well as to '.join(map(_what, rivals))}")
    tasks = tuple(dict.fromkeys(task for part in parts for task in part.made.tasks))
    if len(tasks) > MOST_TASKS:
        return Unclear(f"It asks for {len(tasks)} tasks at once, and at most {MOST_TASKS} are done")
    told = (line for part in parts for line in part.made.assumed)
    aside = (line for part in parts for line in left_aside(part))
    left_open = (line for task in tasks for line in left_open_by(task))
    return Made(tasks, tuple(dict.fromkeys((*told, *aside, *left_open))))


def _what(task: Task) -> str:
    """What is done, as planners are told of it, without how."""
    return re.split("[:,.]", (type(task).__doc__ or "").lower())[0]


def _in_order(text: str, parts: list[Part]) -> list[Part]:
    """`Label 0-9, but before you do that, tell me the costs`: as they are to be done."""
    ordered: list[Part] = []
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


def _parts(text: str, context: Context) -> list[Part] | Unclear:
    """Each clause that means something by itself; others belong to what stands before or after."""
    found = clauses(text)
    if len(found) > MOST_CLAUSES:
        found = [Clause(0, len(text))]
    done: list[Part] = []
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
        if isinstance(part, Part) and done and (wondering or goes_on(done[-1], part)):
            part = _lengthened(text, done.pop(), clause.end)
        if isinstance(part, Part):
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
        if isinstance(part, Part):
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
    if not isinstance(part, Part):
        return True
    of_model = MODEL_SAYS.search(part.slots.masked) is not None
    return not isinstance(part.made.tasks[0], Fix) and not (
        of_model and isinstance(part.made.tasks[0], Why)
    )


def _told_or_asked(text: str, opening: Clause, clause: Clause, context: Context) -> Part | Unclear:
    """What a clause asks for by itself, if it names all that was told before; or both together."""
    if opening.start < clause.start and TELLING.match(text, opening.start, clause.start):
        asked = _part(text, clause, context)
        told = slots_in(tidied(text[opening.start : clause.start])).kinds
        if isinstance(asked, Part) and (told <= asked.slots.kinds or complete(asked)):
            return asked
    return _part(text, opening, context)


def _after(done: list[Part], context: Context) -> Context:
    return done[-1].before.after(done[-1].made.tasks) if done else context


def _lengthened(text: str, part: Part, end: int) -> Part | Unclear:
    return _part(text, Clause(part.clause.start, end), part.before)


def _part(text: str, clause: Clause, context: Context) -> Part | Unclear:
    slots = slots_in(tidied(context.resolved(text[clause.start : clause.end])))
    reading = read(slots, context)
    return reading if isinstance(reading, Unclear) else Part(clause, slots, context, *reading)
