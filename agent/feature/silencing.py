"""What silences a feature, though no picture may have shown it: a condition that was never met.

Whatever the pictures show here and there is added to a picture on which a claim fits and the
feature fires. What silences it there, and on the next ones, is no coincidence. Knows one claim, and
the tools that describe and edit pictures; nothing of other claims.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from agent.desk import Desk
from agent.feature.differences import Phrase, labelled, part_of, phrases
from agent.feature.editing import NearMiss, edited
from agent.feature.proposals import nested
from tools.claims import Claim
from tools.edit_one import EditedOne
from tools.failures import ToolFailure

DESCRIBED = 60
"""So many pictures say what there is: always the same ones, since models remember their answers."""
SUSPECTED = 72
SCREENED = 3
"""On so many pictures, one after the other, what is still suspected is tried."""
SURE = 2
"""On so many of them what the claim speaks of has to be there all the while."""
FIRST, CONFIRMED = 4, 12
"""On so many more it has to silence the feature, first and in all; some edits take away what the
claim speaks of."""
FEW = 3
"""What more things than this silence lacks something that each of them takes away."""


class Silenced(NamedTuple):
    """What silences the feature, and the pictures that show it."""

    suspect: str
    edited: tuple[EditedOne, ...]


async def silencing(
    desk: Desk, feature: int, claims: Sequence[Claim], firing: Sequence[int], silent: Sequence[int]
) -> Silenced | None:
    """What silences the feature where the first claim fits; None if nothing does.

    The pictures that show it are looked at for what the other claims speak of as well.
    """
    try:
        left = await _left(desk, feature, claims[0], firing[:SCREENED], silent)
    except ToolFailure:
        return None  # the other experiments are still there
    for phrase in left if len(left) <= FEW else ():
        suspect = await labelled(desk, phrase, firing, silent or _some(desk))
        if shown := await _confirmed(desk, feature, claims, suspect, firing[SCREENED:]):
            return Silenced(suspect, tuple(shown))
    return None


async def _confirmed(
    desk: Desk, feature: int, claims: Sequence[Claim], suspect: str, firing: Sequence[int]
) -> list[EditedOne]:
    """Pictures with the suspect added, if it silences the feature in all of them."""
    further = claims[0].model_copy(update={"without": suspect})
    shown: list[EditedOne] = []
    for some in (firing[:FIRST], firing[FIRST:CONFIRMED]):
        if some:
            miss = NearMiss(suspect, "add", tuple(some))
            shown += await edited(desk, feature, (*claims, further), [miss])
        if not _holds(shown, claims[0], suspect):
            return []
    return shown


async def _suspects(desk: Desk, claim: Claim, silent: Sequence[int]) -> list[Phrase]:
    """Words for what there is: what silent pictures show first, then what is seen most."""
    shown = tuple(dict.fromkeys((*silent[:FEW], *_some(desk))))
    said = await desk.use("describe", f"described {len(shown)} pictures", pictures=shown)
    found = phrases([one.text for one in said.descriptions], [])
    things = [
        next((other for other in found if part_of(one, other)), one)  # snow is a snow field
        for one in found
        if " " not in one.text
    ]
    fresh = [
        one
        for one in dict.fromkeys(things)
        if not any(nested(one.text, concept) for concept in claim.any_of)
    ]
    first = {at for at, one in enumerate(said.descriptions) if one.picture in silent[:FEW]}
    order = sorted(fresh, key=lambda one: (-len(one.said_of & first), -len(one.said_of)))
    return order[:SUSPECTED]


async def _left(
    desk: Desk, feature: int, claim: Claim, pictures: Sequence[int], silent: Sequence[int]
) -> list[Phrase]:
    """Suspects with which the feature fires on none of some pictures, and is silent for sure."""
    left, sure = await _suspects(desk, claim, silent), Counter[str]()
    for picture in pictures:
        if not left:
            break
        found = await desk.use(
            "screen",
            f"added {len(left)} things to picture {picture}, one at a time",
            feature=feature,
            picture=picture,
            concepts=tuple(one.text for one in left),
            keep=claim.any_of,
        )
        sure.update(found.silencing)
        left = [one for one in left if one.text in (*found.silencing, *found.undecided)]
    return [one for one in left if sure[one.text] >= SURE]


def _some(desk: Desk) -> range:
    return range(min(DESCRIBED, len(desk.lab.pictures("explore"))))


def _holds(shown: Sequence[EditedOne], claim: Claim, suspect: str) -> bool:
    """The feature is silent wherever both are seen, and they are somewhere."""
    both = [
        one
        for one in shown
        if one.sure[suspect] > 0 and any(one.sure[concept] > 0 for concept in claim.any_of)
    ]
    return bool(both) and not any(one.fires for one in both)
