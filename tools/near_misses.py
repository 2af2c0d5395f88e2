"""Near misses by meaning: pictures that fit a claim or its rivals, and leave the feature silent.

Those on which a claim and a rival disagree tell most, and those that miss nothing but a condition.
CLIP says how well they fit, so that near misses are not simply what the grounder, which is asked
about them later, takes for the thing. Knows pictures and claims; nothing of where these come from.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import numpy as np

from tools import panel
from tools.claims import Claim, parse
from tools.evidence import Evidence, Sighting, Split
from tools.lab import Lab
from tools.observing import AT_ONCE

PATIENCE = 32 * AT_ONCE
"""So many pictures are looked at in search of silent ones, and no more."""


def near_misses(
    lab: Lab, evidence: Evidence, claim: str, rivals: Sequence[str], count: int
) -> tuple[Sighting, ...]:
    """So many, or as many as are found; the evidence may have some of them already.

    Twice as many more fit but for the claim's condition, if it has one.
    """
    others = [parse(rival) for rival in rivals]
    own = parse(claim)
    found = _silent(lab, evidence, _unmet(lab, evidence.split, own), 2 * count)
    left = (n for n in _fitting(lab, evidence.split, own, others) if n not in found)
    found += _silent(lab, evidence, left, count)
    return tuple(Sighting(picture=number, group="rival") for number in found)


def _silent(lab: Lab, evidence: Evidence, numbers: Iterable[int], count: int) -> list[int]:
    """The first so many that leave the feature silent."""
    candidates, found = islice(numbers, PATIENCE), []
    while len(found) < count and (batch := list(islice(candidates, AT_ONCE))):
        fires_N = panel.fires(lab, evidence.split, batch, evidence.feature)
        found += [n for n, fires in zip(batch, fires_N.tolist(), strict=True) if not fires]
    return found[:count]


def _unmet(lab: Lab, split: Split, claim: Claim) -> list[int]:
    """Pictures that would fit but for a condition: they alone tell whether it is one."""
    if claim == claim.bare:
        return []
    own_N, loose_N = (panel.fit(lab, split, one) for one in (claim, claim.bare))
    return np.argsort(own_N - loose_N, kind="stable").tolist()


def _fitting(lab: Lab, split: Split, claim: Claim, rivals: Sequence[Claim]) -> Iterator[int]:
    """Pictures: the one that nearly fits most in each way, then the second, ..."""
    own_N, loose_N = (panel.fit(lab, split, one) for one in (claim, claim.bare))
    ways = [own_N, loose_N]
    for rival in rivals:
        their_N = panel.fit(lab, split, rival)
        ways += [own_N * (1 - their_N), their_N]
    orders = [np.argsort(-way_N, kind="stable").tolist() for way_N in ways]
    return iter(dict.fromkeys(chain.from_iterable(zip(*orders, strict=True))))
