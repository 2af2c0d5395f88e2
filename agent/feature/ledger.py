"""The ledger: every hypothesis with every test that it went through, and how it stands.

A hypothesis stands by how well it foretells firing on all pictures that were looked at, less a
price for everything that it speaks of: more words always fit a little better. Knows what was seen
there; nothing of how it is seen.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agent.feature.inquiry import Looked
from agent.findings import Hypothesis, Origin, Test
from sae_core.scoring.detection import detection
from sae_core.scoring.estimate import Estimate
from tools.claims import Claim, normal, parse
from tools.foretelling import HALF, accuracy, composed, fitted

PER_ALTERNATIVE, PER_CONDITION = 0.05, 0.01
"""The price of each beyond the first concept, in balanced accuracy. A true alternative wins far
more; a true condition that is seldom met wins little, and its words came from a test already."""
CHANCE = 0.5


class Grade(NamedTuple):
    """How well a claim foretells firing."""

    score_N: np.ndarray
    """How sure it is that the claim fits; a half and more counts as yes."""
    standing: float
    recall: float
    """On what share of the firing pictures it fits."""
    specificity: float
    """On what share of the silent ones it does not."""

    @property
    def called_N(self) -> np.ndarray:
        """On which pictures it fits."""
        return self.score_N >= HALF


def graded(claim: Claim, looked: Looked) -> Grade:
    """Held against everything that was looked at; there have to be pictures of both kinds."""
    fires_N = looked.fires_N
    sure = {one: np.array(looked.sure[one]) for one in claim.concepts}
    score_N = composed(claim, sure, fitted(claim, sure, fires_N))
    called_N = score_N >= HALF
    return Grade(
        score_N,
        standing=accuracy(called_N, fires_N) - price(claim),
        recall=float(called_N[fires_N].mean()),
        specificity=float((~called_N[~fires_N]).mean()),
    )


def price(claim: Claim) -> float:
    """What a claim pays for all that it speaks of."""
    further = len(claim.any_of) - 1
    conditions = claim.parts - 1 - further
    return PER_ALTERNATIVE * further + PER_CONDITION * conditions


def entered(ledger: Sequence[Hypothesis], new: Iterable[Hypothesis]) -> tuple[Hypothesis, ...]:
    """The ledger with more hypotheses; one that is there gets the votes."""
    by_name = {normal(one.claim): one for one in ledger}
    for one in new:
        name = normal(one.claim)
        if name in by_name:
            votes = by_name[name].votes + one.votes
            by_name[name] = by_name[name].model_copy(update={"votes": votes})
        else:
            by_name[name] = one
    return tuple(by_name.values())


def guessed(claim: Claim, origin: Origin) -> Hypothesis:
    """A hypothesis that nobody gave, so with no votes."""
    return Hypothesis(claim=claim.text, origin=origin, votes=0)


def ranked(ledger: Sequence[Hypothesis], looked: Looked) -> tuple[Hypothesis, ...]:
    """All with their standing now, best first; what was not looked for has none, and comes last."""
    graded_now = [
        one.model_copy(
            update={"standing": graded(claim, looked).standing if _known(claim, looked) else None}
        )
        for one, claim in ((one, parse(one.claim)) for one in ledger)
    ]
    votes = {normal(one.claim): one.votes for one in ledger}
    return tuple(sorted(graded_now, key=lambda one: _order(one, votes)))


def with_test(
    ledger: Sequence[Hypothesis], looked: Looked, kind: str, asked: str, best: int, seed: int
) -> tuple[Hypothesis, ...]:
    """The best so many with one more test: how well each foretells firing by now."""
    fires_N = looked.fires_N
    found = []
    for place, one in enumerate(ledger):
        if place < best and one.standing is not None:
            score_N = graded(parse(one.claim), looked).score_N
            score = detection(score_N, fires_N, HALF, seed).balanced_accuracy
            estimate = Estimate(value=score.value, low=score.low, high=score.high, n=score.n)
            test = Test(kind=kind, asked=asked, estimate=estimate, chance=CHANCE)
            one = one.model_copy(update={"tests": (*one.tests, test)})
        found.append(one)
    return tuple(found)


def _known(claim: Claim, looked: Looked) -> bool:
    return all(one in looked.sure for one in claim.concepts)


def _order(one: Hypothesis, votes: Mapping[str, int]) -> tuple[float, int, int, float, str]:
    """By standing; where it hardly differs, what says less first, then what was said more often."""
    standing, claim = -1.0 if one.standing is None else one.standing, parse(one.claim)
    said = one.votes or min(votes.get(normal(part), 0) for part in claim.any_of)
    return -round(standing, 2), claim.parts, -said, -standing, one.claim
