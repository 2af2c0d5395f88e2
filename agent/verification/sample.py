"""Which sealed pictures a claim is verified on, and whether there will be enough of them.

Firing ones come from all quarters of the activations alike, silent ones are of five kinds. Knows
pictures; nothing of scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tools.evidence import FIRING, Evidence, Split
from tools.failures import WontWork
from tools.gathering import Amounts, gather, index_of
from tools.lab import Lab
from tools.near_misses import near_misses

QUARTERS, PER_QUARTER = 4, 16
SILENT = 12
"""Of each kind: by chance, alike, a neighbour's."""
RIVALS = 12
"""Near misses by meaning, of the claim and of its rivals each."""
ENOUGH = 8
"""On fewer firing pictures the interval of even a perfect claim reaches below the bars."""


class TooRare(NamedTuple):
    """The feature fires on too few pictures for anybody to prove what it means."""

    fires_on: int
    """On so many pictures of the split."""
    size: int
    split: Split

    @property
    def why(self) -> str:
        """In one line."""
        return (
            f"It fires on {self.fires_on} of {self.size} pictures of {self.split}: too few to "
            f"verify anything on {ENOUGH} sealed ones"
        )


def too_rare(lab: Lab, feature: int, sealed: int) -> TooRare | None:
    """Whether so many sealed pictures would hold too few on which it fires, by explore's rate."""
    record = index_of(lab, "explore").feature(feature)
    if record.short or record.picture_rate * sealed < ENOUGH:
        return TooRare(record.fires_on, len(lab.pictures("explore")), "explore")
    return None


def sample(lab: Lab, feature: int, split: Split, claim: str, rivals: Sequence[str]) -> Evidence:
    """The pictures; near misses nearly fit the claim, or a rival of it.

    What another split has as well is no longer sealed, and stays out.
    """
    evidence = gather(lab, feature, split, Amounts(0, PER_QUARTER, QUARTERS, SILENT)).evidence
    nearly = near_misses(lab, evidence, claim, rivals, RIVALS)
    # What was found as alike may fit best, too: it counts as that, for the hardest pictures tell.
    hardest = {one.picture for one in nearly}
    others = (one for one in evidence.sightings if one.picture not in hardest)
    seen = lab.once(f"shared by {split}", lambda: lab.shared(split))
    kept = tuple(one for one in (*others, *nearly) if one.picture not in seen)
    chosen = evidence.model_copy(update={"sightings": kept})
    if len(chosen.of(*FIRING)) < min(ENOUGH, len(evidence.of(*FIRING))):
        raise WontWork(
            f"{len(seen)} of {evidence.size} {split} pictures are in other splits, too, so few are "
            f"left for feature {feature}. Divide one set under [data], as in PLACE#0-90 and "
            "PLACE#90-100"
        )
    return chosen
