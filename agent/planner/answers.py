"""Tasks about what the model says: why it does, and how to mend it.

For each intent there is one function; it raises `Lacking` with the words for what is missing.
Knows what each task needs; nothing of how intents are told.
"""

from __future__ import annotations

import re

from agent.plan import Fix, Why
from agent.planner.behaviours import Behaviour, behaviour_in
from agent.planner.context import Context, within
from agent.planner.english import FUNCTION, either, rule
from agent.planner.made import Lacking, Made, checked
from agent.planner.questions import reported
from agent.planner.slots import Slots


def why(slots: Slots, context: Context) -> Made:
    """One picture and one question."""
    told, before = reported(slots.masked, slots.quotes), context.why
    pictures = context.pictures(slots.pictures)
    spoken_of = before or slots.quotes or within(slots.masked)
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
    return Made(tuple(tasks), slots.pictures.assumed)


def fix(slots: Slots, context: Context) -> Made:
    """What is seen wrongly, in the asker's words and taken apart."""
    seen = behaviour_in(slots.text)
    if seen.thing is None and (before := _behaviour_before(context)) is not None:
        return Made((before,))
    if seen.thing is None and not _says_what(slots.masked):
        raise Lacking("It does not say what the model does wrong")
    return Made((checked(Fix, behaviour=slots.text, thing=seen.thing, place=seen.place),))


_NOTHING_SAID = either(
    """please so don t find fix fixed repair mend stop make get cure remedy way recipe problem
    models? network behaviou?r mistakes? errors? wrong hallucinat(?:ions?|es?|ing)
    say says said saying answers? sees? thinks? keep keeps again"""
)
_SAYS_NOTHING = rule(rf"{_NOTHING_SAID}|{FUNCTION}")


def _says_what(masked: str) -> bool:
    """Whether more is said than that something is wrong."""
    said = set(re.findall(r"[a-z]+", masked.lower()))
    return sum(_SAYS_NOTHING.fullmatch(word) is None for word in said) > 1


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
