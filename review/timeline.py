"""A unit's steps with their events as they are drawn: what stands in front, which pictures to show.

Knows records; nothing of pages or queries.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from agent.events import Event, Kind
from review.queries.events import StepLine, UnitLine

_ID = re.compile(r"[0-9a-f]{64}")
_TELLING: tuple[Kind, ...] = (
    "answer", "finding", "verdict", "failure", "steering", "plan", "task", "asked", "test",
)  # fmt: skip
"""What a step is known by, the most telling first."""


class EventView(NamedTuple):
    """An event and the pictures that it speaks of, in its order."""

    event: Event
    pictures: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name within the run, by which it is linked to."""
        return f"{self.event.unit}.{self.event.step}.{self.event.place}"


class StepView(NamedTuple):
    """A step with its events."""

    line: StepLine
    unit: str
    events: tuple[EventView, ...]
    gist: str
    """What it came to, in one line."""


class UnitView(NamedTuple):
    """A unit as one line, and with its steps where they are shown at once."""

    line: UnitLine
    gist: str
    """What was done in it last, as far as that is known."""
    steps: tuple[StepView, ...] | None
    """None: they are fetched when it is opened."""

    @property
    def depth(self) -> int:
        """How deep it lies: the request and its tasks at 0, features in tasks at 1."""
        return self.line.unit.count("/")

    @property
    def title(self) -> str:
        """What it is called."""
        return titled(self.line.unit)


def opened(line: UnitLine, steps: tuple[StepView, ...]) -> UnitView:
    """A unit that is shown with its steps."""
    return UnitView(line, steps[-1].gist if steps else "", steps)


def titled(unit: str) -> str:
    """A unit's name for people: the request, task 1, feature 118."""
    task, _, name = unit.rpartition("/")
    if unit == "run":
        return "The request"
    if name.isdecimal():
        return f"Feature {name}" if task else f"Task {int(name) + 1}"
    return name.capitalize()


def steps_of(
    unit: str,
    lines: Sequence[StepLine],
    events: Iterable[Event],
    is_picture: Callable[[str], bool],
) -> tuple[StepView, ...]:
    """The steps of a unit with their events."""
    of_step: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        of_step[event.step].append(event)
    return tuple(
        StepView(
            line,
            unit,
            tuple(EventView(one, _pictures(one, is_picture)) for one in of_step[line.step]),
            _gist(of_step[line.step]),
        )
        for line in lines
    )


def _gist(events: Sequence[Event]) -> str:
    for kind in _TELLING:
        if found := next((one.text for one in events if one.kind == kind), None):
            # An answer is Markdown, and this is one line of text.
            return found.replace("**", "") if kind == "answer" else found
    return events[0].text if events else ""


def _pictures(event: Event, is_picture: Callable[[str], bool]) -> tuple[str, ...]:
    written = json.dumps([event.arguments, event.result, event.artefacts])
    return tuple(one for one in dict.fromkeys(_ID.findall(written)) if is_picture(one))
