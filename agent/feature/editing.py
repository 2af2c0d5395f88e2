"""Cause, in words: one thing in a picture is edited, so that one of two claims fits, and one not.

A near miss is a picture on which one claim says that an edit changes whether the feature fires, and
the other claim does not. Which edit that is follows from the claims' words and from what the
grounder sees, and so does what each claim says of the edited picture. Knows two claims; nothing of
what else there is to try.

Shapes: N pictures that were looked at, E edited ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from agent.desk import Desk
from agent.feature.inquiry import Looked
from agent.findings import Test
from sae_core.scoring.resampling import SHARE, Cases, mean
from tools.claims import Claim
from tools.edit_one import EditedOne
from tools.edit_words import Change
from tools.failures import ToolFailure
from tools.foretelling import HALF, composed, fitted

KIND = "edit"
AS_LIKELY = 0.5
"""Of two claims that say the opposite, one is right on half of the pictures by chance."""
MOST, EACH = 8, 4
"""So many pictures in all, and with the same concept added or removed."""
GONE, THERE = 1e-6, 1 - 1e-6


class NearMiss(NamedTuple):
    """Pictures, and one concept to add to them or to remove from them."""

    concept: str
    change: Change
    pictures: tuple[int, ...]


class Reader(NamedTuple):
    """A claim, with how sure each of its concepts has to be."""

    claim: Claim
    cuts: Mapping[str, float]

    def fits(self, sure: Mapping[str, np.ndarray]) -> np.ndarray:
        """On which pictures it fits [N]."""
        known = {one: sure[one] for one in self.claim.concepts}
        return composed(self.claim, known, self.cuts) >= HALF


def reader(claim: Claim, looked: Looked) -> Reader:
    """Its cuts learnt from everything that was looked at."""
    known = {one: looked.sure_N[one] for one in claim.concepts}
    return Reader(claim, fitted(claim, known, looked.fires_N))


def near_misses(one: Claim, other: Claim, looked: Looked) -> list[NearMiss]:
    """Those that tell the two apart, on firing pictures first."""
    pair, sure = (reader(one, looked), reader(other, looked)), looked.sure_N
    fires_N, numbers_N = looked.fires_N, np.array(looked.pictures)
    before = [reading.fits(sure) for reading in pair]
    right_N = np.any([fits_N == fires_N for fits_N in before], axis=0)
    found = []
    for concept in sorted(set(one.concepts) ^ set(other.concepts)):
        (cut,) = (reading.cuts[concept] for reading in pair if concept in reading.cuts)
        there_N = sure[concept] >= cut
        turned = sure | {concept: np.where(there_N, GONE, THERE)}
        first_N, second_N = (
            change(was_N, reading.fits(turned)) for was_N, reading in zip(before, pair, strict=True)
        )
        for way, from_N in (("remove", there_N), ("add", ~there_N)):
            (at_N,) = np.nonzero(right_N & (first_N != second_N) & from_N)
            if len(at_N):
                order = at_N[np.argsort(~fires_N[at_N], kind="stable")]
                found.append(NearMiss(concept, way, tuple(numbers_N[order].tolist())))
    each = min(EACH, MOST // max(1, len(found)))
    return [one._replace(pictures=one.pictures[:each]) for one in found]


def change(before_N: np.ndarray, after_N: np.ndarray) -> np.ndarray:
    """Whether firing begins, 1, ends, -1, or neither, 0."""
    return after_N.astype(int) - before_N.astype(int)


async def edited(
    desk: Desk, feature: int, claims: Sequence[Claim], misses: Sequence[NearMiss]
) -> list[EditedOne]:
    """The pictures, edited, and looked at for all that the claims speak of.

    What no editor can do is left out.
    """
    concepts = tuple(dict.fromkeys(concept for claim in claims for concept in claim.concepts))
    found: list[EditedOne] = []
    for miss in misses:
        try:
            made = await desk.use(
                "edit_one",
                f"{miss.change} {miss.concept!r} in {len(miss.pictures)} pictures",
                feature=feature,
                pictures=miss.pictures,
                change=miss.change,
                concept=miss.concept,
                beside=tuple(c for c in concepts if c != miss.concept),
            )
        except ToolFailure:
            continue
        found += made.edited
    return found


def compounds(one: Claim, other: Claim) -> list[Claim]:
    """What two single concepts may be together."""
    if one.parts > 1 or other.parts > 1:
        return []
    ((first,), (second,)) = one.any_of, other.any_of
    found = [Claim(any_of=(first, second))]
    for thing, condition in permutations((first, second)):
        found.append(Claim(any_of=(thing,), beside=condition))
        found.append(Claim(any_of=(thing,), without=condition))
    return found


def judged(
    pair: tuple[Claim, Claim],
    more: Sequence[Claim],
    looked: Looked,
    shown: Sequence[EditedOne],
    seed: int,
) -> dict[str, Test]:
    """How often each claim foretells the change where the pair part, by the claim's text."""
    at = [looked.pictures.index(one.picture) for one in shown]
    sure_E = {
        concept: np.array([one.sure[concept] for one in shown])
        for claim in (*pair, *more)
        for concept in claim.concepts
    }
    foretold: dict[str, np.ndarray] = {}
    for claim in (*pair, *more):
        reading = reader(claim, looked)
        foretold[claim.text] = change(reading.fits(looked.sure_N)[at], reading.fits(sure_E))
    apart_E = foretold[pair[0].text] != foretold[pair[1].text]
    if not apart_E.any():
        return {}
    fires_E = np.array([one.fires for one in shown], bool)
    happened_E = change(looked.fires_N[at], fires_E)
    picture_E = np.array([one.picture for one in shown])[apart_E]
    return {
        text: Test(
            kind=KIND,
            asked=f"foretells what one edit does, where {pair[0].text} and {pair[1].text} part",
            estimate=mean(
                Cases((foretold_E == happened_E)[apart_E].astype(float), picture_E), SHARE, seed
            ),
            chance=AS_LIKELY,
            evidence=tuple(shown[place].changed for place in np.flatnonzero(apart_E)),
        )
        for text, foretold_E in foretold.items()
    }
