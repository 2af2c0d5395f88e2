"""Cause, in pictures: what a claim speaks of is covered, and as much of the picture elsewhere.

Knows one claim and the tools that find and cover things; nothing of other claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agent.desk import Desk
from agent.findings import Test
from sae_core.scoring.estimate import Estimate
from sae_core.scoring.resampling import SHARE, Cases, difference
from tools.artefacts import ArtefactId
from tools.claims import Claim
from tools.counterfactual import Trial
from tools.failures import ToolFailure
from tools.ground import Grounding
from tools.readings import Reading, change

KIND = "occlude"
NO_DIFFERENCE = 0.0
ROOM = 0.25
"""Where elsewhere is, by more than this share, the same place, nothing can be compared."""


class Place(NamedTuple):
    """Where to cover a picture."""

    picture: int
    mask: ArtefactId


async def covered(desk: Desk, feature: int, claim: Claim, pictures: Sequence[int]) -> Test | None:
    """How much more the feature loses there than elsewhere; None if nothing can be covered."""
    trials = [
        trial
        for place in await _places(desk, claim, pictures)
        if (trial := await _tried(desk, feature, place)) is not None
    ]
    rows = [
        (_lost(one.before, one.after), _lost(one.before, one.control.after), number)
        for number, one in enumerate(trials)
        if one.control is not None and one.control.overlap <= ROOM
    ]
    if not rows:
        return None
    there_N, elsewhere_N, picture_N = np.array(rows).T
    found = difference(
        Cases(there_N, picture_N), Cases(elsewhere_N, picture_N), SHARE, desk.lab.seed
    )
    return Test(
        kind=KIND,
        asked=f"loses more where {claim.bare.text} is covered than as much elsewhere",
        estimate=Estimate(value=found.value, low=found.low, high=found.high, n=found.n),
        chance=NO_DIFFERENCE,
        evidence=tuple(one.changed for one in trials),
    )


def _lost(before: Reading, after: Reading) -> float:
    """What share of the activation is gone."""
    return max(0.0, -change(before.mean, after.mean))


async def _places(desk: Desk, claim: Claim, pictures: Sequence[int]) -> list[Place]:
    """In each picture the alternative that the grounder is surest of."""
    best: dict[int, Grounding] = {}
    for concept in claim.any_of:
        found = await desk.use(
            "ground", f"where is {concept}?", label=concept, pictures=tuple(pictures)
        )
        for one in found.pictures:
            known = best.setdefault(one.picture, one)
            if max(one.scores, default=0) > max(known.scores, default=0):
                best[one.picture] = one
    return [Place(number, one.mask) for number, one in best.items() if one.mask is not None]


async def _tried(desk: Desk, feature: int, place: Place) -> Trial | None:
    """None where there is no room to cover as much elsewhere."""
    try:
        found = await desk.use(
            "counterfactual",
            f"covered it in picture {place.picture}",
            feature=feature,
            pictures=({"number": place.picture},),
            edit="occlude",
            region=place.mask,
            repeats=1,
        )
    except ToolFailure:
        return None
    return found.trials[0]
