"""A clause that means something, and whether it only says more of the one before it.

Knows tasks that belong together; how clauses are cut and read is known elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from agent.plan import Find, Fix, Investigate, Label, LoadSae, SearchFindings, Task, TrainSae
from agent.planner.clauses import Clause
from agent.planner.context import Context
from agent.planner.english import CODER, COMMAND, rule
from agent.planner.made import Made
from agent.planner.remarks import BACK, REMARK
from agent.planner.sizes import sizes_in
from agent.planner.slots import Slots

_CODER, _VERB = rule(rf"\b{CODER}\b"), rule(rf"(?<!<)\b{COMMAND}\b")


class Part(NamedTuple):
    """A clause that means something."""

    clause: Clause
    slots: Slots
    before: Context
    made: Made
    rival: Task | None


def left_aside(part: Part) -> Iterator[str]:
    """A line for each number that no task makes use of."""
    tasks = str([task.model_dump() for task in part.made.tasks])
    used = set(map(int, re.findall(r"\d+", tasks)))
    for number in part.slots.numbers.pair:
        if number not in used:
            yield f"{number} is left aside, as nothing says what it counts"


def complete(part: Part) -> bool:
    """Whether it needs nothing of what was told before."""
    means_more = isinstance(part.made.tasks[0], Fix | LoadSae | TrainSae)
    return not (means_more or BACK.search(part.slots.masked))


def goes_on(first: Part, second: Part) -> bool:
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
    if isinstance(before, TrainSae) and not _VERB.search(slots.masked):
        # `..., number of latents: 16k` is a size, once a training is spoken of.
        sized = sizes_in(slots.text, training=True).sizes
        return any(one is not None for one in sized)
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
        says_what = says_what or not any(_same_search(task, one) for one in first.made.tasks)
    return type(before) is type(task) and not says_what


def _same_search(one: Task, other: Task) -> bool:
    """Whether only how many, or how they ended, is told anew."""
    told = ("task", "words", "picture")
    return all(getattr(one, name, None) == getattr(other, name, None) for name in told)


def _contradict(one: TrainSae, other: TrainSae) -> bool:
    pairs = zip(one.model_dump().values(), other.model_dump().values(), strict=True)
    return any(a != b for a, b in pairs if a is not None and b is not None)
