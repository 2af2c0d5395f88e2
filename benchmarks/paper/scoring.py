"""What a feature's label scores in one mode, with what it has to beat.

Knows which pictures a mode scores on, and calls the tool score; nothing of tables.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from benchmarks.paper.chance import Pool
from benchmarks.paper.labelling import SHOWN, Told, call
from sae_core.errors import UserError
from sae_core.scoring.overlap import Mode
from tools.failures import ToolFailure, TryAgain
from tools.lab import Lab
from tools.measures import Which

HELD_OUT = 16
"""Pictures that mode strict scores on, at most."""
OTHERS = 5
"""Other features' labels that a score is held against."""
NULL: dict[Which, str] = {
    "iou": "shuffled_labels", "clip": "random_pictures", "consistency": "shuffled_labels"
}  # fmt: skip


class Scored(BaseModel):
    """A label's values by measure; what could not be measured is a failure and no value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: int
    label: str
    concept: str
    values: dict[Which, float] = {}
    nulls: dict[Which, float] = {}
    """Of the same pictures with other labels, or of the same label on others."""
    trials: dict[Which, tuple[float, ...]] = {}
    """The paper's random baseline, trial by trial; in mode paper alone."""
    failures: dict[Which, str] = {}
    again: bool = False
    """A failure may be gone the next time."""
    few: bool = False
    """It fires on too few of the mode's pictures to be judged."""


class Asked(NamedTuple):
    """What is measured of each label."""

    mode: Mode
    which: tuple[Which, ...]
    others: tuple[str, ...]
    """The other features' labels."""
    pool: Pool | None
    """In mode paper."""


async def scored(lab: Lab, told: Told, asked: Asked) -> Scored:
    """Score a label; a measure that fails leaves the others alone."""
    assert told.label is not None
    assert told.concept is not None
    blank = Scored(feature=told.feature, label=told.label, concept=told.concept)
    try:
        return await _scored(lab, blank, asked)
    except (ToolFailure, UserError) as failure:
        failures: dict[Which, str] = dict.fromkeys(asked.which, str(failure))
        again = isinstance(failure, TryAgain)
        return blank.model_copy(update={"failures": failures, "again": again})


async def _scored(lab: Lab, blank: Scored, asked: Asked) -> Scored:
    arguments = await _pictures(lab, blank.feature, asked)
    if arguments is None:
        return blank.model_copy(update={"few": True})
    found = await call(lab, "score", label=blank.label, which=asked.which, **arguments)
    values: dict[Which, float] = {}
    nulls: dict[Which, float] = {}
    for which in asked.which:
        name = which if which == "consistency" else f"{which}_{asked.mode}"
        if (score := found.scores.get(name)) is not None:
            values[which] = score.value
            beside = {null.name: null.value for null in score.nulls}
            nulls |= {which: beside[NULL[which]]} if NULL[which] in beside else {}
    return Scored(
        **blank.model_dump(include={"feature", "label", "concept"}),
        values=values,
        nulls=nulls,
        trials=await asyncio.to_thread(_trials, blank, asked, values),
        failures={which: one.reason for which, one in found.unmeasured.items()},
        again=any(one.again for one in found.unmeasured.values()),
    )


async def _pictures(lab: Lab, feature: int, asked: Asked) -> dict[str, Any] | None:
    """The arguments that say which pictures; None where there are too few."""
    if asked.mode == "paper":
        seen = await call(
            lab, "top_images", feature=feature, top=SHOWN, per_quantile=0, negatives=0
        )
        own = {"split": "explore", "groups": ("top_by_mean",), "count": SHOWN}
        others = asked.others if "consistency" in asked.which else ()
    else:
        seen = await call(
            lab, "top_images", feature=feature, split="validate", top=HELD_OUT // 2, negatives=0
        )
        own, others = {"split": "validate", "count": HELD_OUT}, asked.others
    if seen.short:
        return None
    return {"evidence": seen.evidence, "others": others, "nulls": OTHERS, **own}


def _trials(
    blank: Scored, asked: Asked, values: dict[Which, float]
) -> dict[Which, tuple[float, ...]]:
    """Of what was measured."""
    if asked.pool is None:
        return {}
    ways = {"iou": asked.pool.ious, "clip": asked.pool.clip_scores}
    return {which: ways[which](blank.feature, blank.label) for which in values if which in ways}
