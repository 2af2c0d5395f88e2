"""Which questions of a set are about the behaviour, and which others are asked beside them.

The same rule for development and for sealed questions. Knows tasks and sets; asks nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.plan import Fix
from tools.failures import WontWork
from tools.question_sets import QuestionSet, evenly

MOST_TARGETS = 192
MOST_GUARDS = 512


class Chosen(NamedTuple):
    """Numbers of questions."""

    about: tuple[int, ...]
    others: tuple[int, ...]


def chosen(questions: QuestionSet, task: Fix, right: str | None = None) -> Chosen:
    """Those about the task's thing and place, with this right answer if it is known; and others."""
    about, others = [], []
    for number in range(len(questions)):
        asked = questions.asked(number)
        hit = asked.about(task.thing, task.place) and right in (None, asked.answer)
        (about if hit else others).append(number)
    if not about:
        raise WontWork(
            f"None of {len(questions)} questions is about {_named(task)}. "
            "Ask about another thing or place, or set data.questions to a set that has some"
        )
    return Chosen(evenly(about, MOST_TARGETS), evenly(others, MOST_GUARDS))


def _named(task: Fix) -> str:
    thing = "anything" if task.thing is None else repr(task.thing)
    return thing if task.place is None else f"{thing} on pictures tagged {task.place!r}"
