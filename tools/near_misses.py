"""Near misses by meaning: pictures that fit a claim or its rivals, and leave the feature silent.

Those that fit the claim itself stand apart: they alone tell whether it is too broad. A rival may be
anything, and what fits it, or misses a condition, is easily told from what fits the claim.
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
    """So many that fit the claim, and so many that fit rivals, or as many as are found.

    Twice as many more fit but for the claim's condition, if it has one. The evidence may have some
    of them already.
    """
    others = [parse(rival) for rival in rivals]
    own, split = parse(claim), evidence.split
    fitting = _silent(lab, evidence, _fitting(lab, split, own, others), count)
    found = list(fitting)
    for numbers, most in (
        (_unmet(lab, split, own), 2 * count),
        (_rivalling(lab, split, own, others), count),
    ):
        found += _silent(lab, evidence, (n for n in numbers if n not in found), most)
    return tuple(
        Sighting(picture=number, group="fitting" if place < len(fitting) else "rival")
        for place, number in enumerate(found)
    )


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
    """Pictures that nearly fit the claim: those that do most, and those that no rival fits."""
    own_N = panel.fit(lab, split, claim)
    return _in_turn([own_N, *(own_N * (1 - panel.fit(lab, split, one)) for one in rivals)])


def _rivalling(lab: Lab, split: Split, claim: Claim, rivals: Sequence[Claim]) -> Iterator[int]:
    """Pictures that nearly fit a rival, or the claim without its condition."""
    loose = () if claim == claim.bare else (claim.bare,)
    return _in_turn([panel.fit(lab, split, one) for one in (*loose, *rivals)])


def _in_turn(ways: Sequence[np.ndarray]) -> Iterator[int]:
    """The picture that does most in each way, then the second, ..."""
    orders = [np.argsort(-way_N, kind="stable").tolist() for way_N in ways]
    return iter(dict.fromkeys(chain.from_iterable(zip(*orders, strict=True))))
