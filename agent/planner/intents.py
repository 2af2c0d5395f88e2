"""Which kind of request a text is, learnt from `examples.toml` when it is first asked for.

Knows the examples; nothing of how a plan is made of an intent.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from agent.planner.classifier import Classifier
from agent.planner.slots import slots_in
from agent.planner.tidying import tidied

EXAMPLES = Path(__file__).with_name("examples.toml")
NONE, SAME = "none", "same"
"""Nothing that the agent does; the request before, for something else."""


def examples() -> dict[str, list[str]]:
    """The requests of each intent as the classifier sees them, each once."""
    told = tomllib.loads(EXAMPLES.read_text())["requests"]
    return {
        intent: list(dict.fromkeys(masked(line) for line in lines.strip().splitlines()))
        for intent, lines in told.items()
    }


def masked(request: str) -> str:
    """A request as the classifier sees it."""
    return slots_in(tidied(request)).shape


@cache
def classifier() -> Classifier:
    """The classifier, learnt."""
    groups = tomllib.loads(EXAMPLES.read_text())["groups"]
    return Classifier(examples(), {name: words.split() for name, words in groups.items()})
