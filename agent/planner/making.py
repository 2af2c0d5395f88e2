"""Which function makes the tasks of an intent, once it is known what a request asks for.

Knows the intents' names; what each needs is known by the functions.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.planner.answers import fix, why
from agent.planner.coders import load, train
from agent.planner.context import Context
from agent.planner.features import compare, find, investigate, label
from agent.planner.made import Made
from agent.planner.records import explain_finding, report, search
from agent.planner.slots import Slots

Maker = Callable[[Slots, Context], Made]
MAKERS: dict[str, Maker] = {
    "investigate": investigate,
    "label": label,
    "compare": compare,
    "find": find,
    "why": why,
    "fix": fix,
    "search": search,
    "explain_finding": explain_finding,
    "train": train,
    "load": load,
    "status": report,
}
