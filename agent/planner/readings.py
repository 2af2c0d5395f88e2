"""What a clause may ask for: the intents that it is like, and the tasks that each would make of it.

Knows how sure one has to be; how a request falls into clauses is for whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from agent.plan import Task
from agent.planner.classifier import Ranked
from agent.planner.context import Context
from agent.planner.following import again
from agent.planner.intents import NONE, SAME, classifier
from agent.planner.made import Lacking, Made
from agent.planner.making import MAKERS, Maker
from agent.planner.slots import Slots

FLOOR = 0.25
"""A score below this is no likeness to anything."""
CLOSE = 0.2
"""Intents whose scores are so close are told apart by what they need."""
EQUAL = 0.03
"""Where two have what they need and are as close as this, either is right half of the time."""
NEAR_NOTHING = 0.05
"""So far ahead an intent has to be of nothing that the agent does."""
OF_FEATURES = frozenset({"investigate", "label", "compare", "explain_finding", SAME})
OF_PICTURES = frozenset({"find", "why", "fix", SAME})
OUT_OF_SCOPE = "This is nothing that the agent does, as far as it understands the request"
_MAKERS: dict[str, Maker] = {**MAKERS, SAME: again}


class Unclear(NamedTuple):
    """Not understood, and why."""

    why: str


class Reading(NamedTuple):
    """The tasks of a clause."""

    made: Made
    rival: Task | None = None
    """The first task of another reading that is about as good."""


def read(slots: Slots, context: Context) -> Reading | Unclear:
    """The likeliest intent whose needs a clause meets."""
    likely = candidates(classifier().ranked(slots.shape), going_on=bool(context.tasks))
    # What names features or pictures may be about them, though it is much like something else.
    if slots.features:
        likely.sort(key=lambda one: one.name not in OF_FEATURES)
    elif slots.pictures.named:
        likely.sort(key=lambda one: one.name not in OF_PICTURES)
    why = ""
    for place, one in enumerate(likely, 1):
        try:
            made = _MAKERS[one.name](slots, context)
        except Lacking as reason:
            # What the likeliest one lacks is what the asker has to hear.
            why = why or str(reason)
            continue
        close = (other for other in likely[place:] if _as_good(other, one))
        return Reading(made, _other_than(made, close, slots, context))
    return Unclear(why or OUT_OF_SCOPE)


def _as_good(one: Ranked, other: Ranked) -> bool:
    """Whether either may be meant; to go on from the request before is no task of its own."""
    return SAME not in (one.name, other.name) and abs(one.score - other.score) < EQUAL


def _other_than(made: Made, close: Iterable[Ranked], slots: Slots, context: Context) -> Task | None:
    """What another intent makes of the same clause, if it is another task."""
    for one in close:
        with suppress(Lacking):
            other = _MAKERS[one.name](slots, context).tasks[0]
            if other.task != made.tasks[0].task:
                return other
    return None


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
