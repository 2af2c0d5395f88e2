"""One question's label for a feature, as the paper makes it: explained, shortened, sorted.

Knows which tools are called in which order; nothing of scores.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from benchmarks.paper.published import CONCEPTS
from tools.failures import ToolFailure, TryAgain
from tools.lab import Lab
from tools.registry import named
from tools.tool import Result

SHOWN = 5
"""Pictures that a label is made from, and in mode paper scored on."""
OTHER = "other"
"""What is none of the paper's six concepts: words, emotions, ideas, brightness."""


class Told(BaseModel):
    """A feature's label, or why it has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: int
    label: str | None = None
    """None where the explainer finds nothing to describe."""
    concept: str | None = None
    failure: str | None = None
    again: bool = False
    """The failure may be gone the next time."""


async def call(lab: Lab, tool: str, **arguments: Any) -> Any:
    """One of the agent's tools."""
    chosen = named(tool)
    found: Result = await chosen.call(lab, chosen.parse(arguments))
    return found


async def labelled(lab: Lab, feature: int) -> Told:
    """Ask about the five strongest pictures, once."""
    try:
        return await _labelled(lab, feature)
    except ToolFailure as failure:
        again = isinstance(failure, TryAgain)
        return Told(feature=feature, failure=failure.reason, again=again)


async def _labelled(lab: Lab, feature: int) -> Told:
    seen = await call(lab, "top_images", feature=feature, top=SHOWN, per_quantile=0, negatives=0)
    explained = await call(lab, "explain", evidence=seen.evidence, count=SHOWN)
    if not explained.hypotheses:
        return Told(feature=feature)
    said = explained.hypotheses[0].text
    outcome = (await call(lab, "refine", explanation=said)).outcome
    if outcome.kind == "undescribed":
        return Told(feature=feature)
    sorted_in = (await call(lab, "categorise", label=said)).category
    return Told(feature=feature, label=outcome.text, concept=concept_of(sorted_in))


def concept_of(category: str) -> str:
    """The paper's name of a class."""
    name = "colour" if category == "color" else category
    return name if name in CONCEPTS else OTHER
