"""What the steps hand to each other: plain documents that go in and out of JSON.

Knows their fields; nothing of how they come about.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.findings import Counts, Culprit
from sae_core.scoring.estimate import Estimate
from sae_core.steering.plan import Intervention
from tools.artefacts import ArtefactId


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Case(_Document):
    """A behaviour on development questions."""

    question: str
    """One of those that show it, or of those that were asked."""
    wrong: str
    """What the model says too often; empty where it says nothing wrong."""
    right: str
    targets: tuple[int, ...]
    """The questions about it whose right answer is `right`."""
    guards: tuple[int, ...]
    """All other questions that were asked: what the model gets right there has to stay right."""
    sheet: ArtefactId
    """The unsteered answers."""
    rate: Estimate
    """How often the targets are answered with `wrong`."""
    reproduced: bool


class Blamed(_Document):
    """Features that speak for the wrong answer, or for the right one but too weakly."""

    difference: float
    """By how many logits the wrong answer leads, the mean over wrong cases."""
    culprits: tuple[Culprit, ...]


class Swept(_Document):
    """Everything that was tried on development questions, and what was chosen."""

    tried: tuple[dict[str, Any], ...]
    chosen: tuple[Intervention, ...] = ()
    """None, where nothing mends without harm."""


class Sealed(_Document):
    """The one shot at the sealed questions."""

    recipe: ArtefactId
    removed: Estimate
    """The share of wrong answers that became right."""
    harm: Estimate
    """The share of right answers to all other questions that became wrong."""
    counts: tuple[Counts, ...]
    side_effects: tuple[Counts, ...]
    unbeaten: tuple[str, ...]
    """The controls that do as well."""
