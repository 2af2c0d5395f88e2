"""What runs asked people for, and what these answered: read from the events, where both stand.

Knows events; nothing of whoever asks, nor of who answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from agent.events import Event
from agent.plan import MOST_TASKS
from agent.store import Reader
from agent.store.rows import event_of


class Asked(NamedTuple):
    """Something that a run does only if somebody agrees."""

    place: str
    """Where it is told: UNIT.STEP.PLACE."""
    what: str
    """What it is and what it costs, in a line."""
    cost: float
    """In TFLOP."""
    task: dict[str, Any]
    """The task that it is for, as it was planned."""


def waiting(store: Reader, runs: Sequence[str]) -> dict[str, Asked]:
    """Those of some runs that asked, and were not answered; they may have ended since."""
    asked: dict[str, Asked] = {}
    for event in _events(store, runs):
        told = event.result or {}
        if "agreed" in told:
            asked.pop(event.run, None)
        else:
            place = f"{event.unit}.{event.step}.{event.place}"
            cost = told.get("cost", 0.0)
            asked[event.run] = Asked(place, event.text, cost, event.arguments or {})
    return asked


def answers(store: Reader, run: str) -> tuple[bool, ...]:
    """What was answered to a run, in order."""
    told = [event.result or {} for event in _events(store, [run])]
    return tuple(bool(one["agreed"]) for one in told if "agreed" in one)


def _events(store: Reader, runs: Sequence[str]) -> list[Event]:
    """In order; tasks alone ask, so the many units of their features are not looked through."""
    rows = store.rows(
        "SELECT * FROM events WHERE run IN (SELECT value FROM json_each(?)) "
        "AND unit IN (SELECT value FROM json_each(?)) AND kind = 'approval' "
        "ORDER BY run, unit, step, place",
        (json.dumps(list(runs)), json.dumps([str(n) for n in range(MOST_TASKS)])),
    )
    return [event_of(row) for row in rows]
