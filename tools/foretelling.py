"""Does a label foretell where its feature fires? A detector that sees only label and picture.

How sure the detector has to be is learnt on the explore split, before the held-out pictures are
looked at: of the label as a whole or, where a label speaks of several concepts, of each of them.
Knows pictures and labels; whether the feature fires is told by evidence.

Shapes: N pictures, Q cuts, X of them tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from tools import panel
from tools.claims import Claim, parse
from tools.evidence import Split
from tools.failures import WontWork
from tools.gathering import Amounts, gather
from tools.held_out import Contrast, contrast
from tools.lab import Lab

Detector = Literal["clip", "grounder"]
"""`clip` says how near picture and label are, `grounder` how sure it is to have found the label."""
LEARNT_ON = 64
"""Pictures of the explore split that a threshold is learnt on, half of them firing."""
NEAR_MISSES = 32
"""As many more that look like a label's alternatives, where the label has a condition: on others it
can't be learnt."""
SWEEPS = 2
TRIED = 48
"""Each concept's cut is looked for so often, at so many places at most."""
HALF = 0.5
"""Where a concept's cut lies after `calibrated`."""
LEAST = 1e-7
"""Nobody is surer than this: odds have to be finite."""


class Learnt(NamedTuple):
    """How sure a detector has to be."""

    threshold: float
    """Of the label."""
    cuts: Mapping[str, float]
    """Of each concept, where there are several."""


def foretold(
    lab: Lab,
    detector: Detector,
    label: str,
    split: Split,
    numbers: Sequence[int],
    cuts: Mapping[str, float] | None = None,
) -> np.ndarray:
    """How well the label fits each of some pictures, as the detector sees it [N]."""
    claim = parse(label)
    return composed(claim, _sure(lab, detector, claim, split, numbers), cuts or {})


def learnt(lab: Lab, detector: Detector, label: str, feature: int) -> Learnt:
    """What does best on explore pictures on which the feature fires or not."""
    amounts = Amounts(0, LEARNT_ON // 8, 4, LEARNT_ON // 6)
    evidence = gather(lab, feature, "explore", amounts).evidence
    chosen = contrast(evidence, LEARNT_ON)
    if not (chosen.firing and chosen.silent):
        raise WontWork(
            f"Feature {feature} fires on {evidence.fires_on} of {evidence.size} explore pictures: "
            "how sure a detector has to be can't be learnt there. Score without detection"
        )
    claim, fires_N, numbers = parse(label), fires_of(chosen), numbers_of(chosen)
    if claim.beside or claim.without:
        near = _near_misses(lab, claim.bare)
        numbers += near
        fires_N = np.concatenate([fires_N, panel.fires(lab, "explore", near, feature)])
    sure = _sure(lab, detector, claim, "explore", numbers)
    cuts = fitted(claim, sure, fires_N) if claim.parts > 1 else {}
    return Learnt(best_threshold(composed(claim, sure, cuts), fires_N), cuts)


def composed(claim: Claim, sure: Mapping[str, np.ndarray], cuts: Mapping[str, float]) -> np.ndarray:
    """How sure it is that the claim fits; each concept's cut, where it has one, counts a half."""
    return claim.composed(
        {one: calibrated(sure[one], cuts[one]) if one in cuts else sure[one] for one in sure}
    )


def calibrated(sure_N: np.ndarray, cut: float) -> np.ndarray:
    """The odds against those of the cut, as a share: several concepts can be compared so [N]."""
    # A cut beyond all scores stays beyond those that are sure.
    sure_N, cut = np.clip(sure_N, LEAST, 1 - LEAST), float(np.clip(cut, LEAST, 1 - LEAST / 2))
    odds_N = sure_N / (1 - sure_N) * (1 - cut) / cut
    return odds_N / (1 + odds_N)


def fitted(claim: Claim, sure: Mapping[str, np.ndarray], fires_N: np.ndarray) -> dict[str, float]:
    """Where each concept's cut makes the claim do best, one concept after the other."""
    cuts = {
        one: best_threshold(sure[one], ~fires_N if one == claim.without else fires_N)
        for one in claim.concepts
    }
    for _ in range(SWEEPS):
        for one in claim.concepts:
            tried_X = _candidates(sure[one])
            told = [composed(claim, sure, {**cuts, one: cut}) for cut in tried_X.tolist()]
            right_X = [accuracy(score_N >= HALF, fires_N) for score_N in told]
            here = accuracy(composed(claim, sure, cuts) >= HALF, fires_N)
            if max(right_X) > here:
                cuts[one] = float(tried_X[int(np.argmax(right_X))])
    return cuts


def accuracy(called_N: np.ndarray, fires_N: np.ndarray) -> float:
    """The share that is called rightly, of firing and silent pictures alike."""
    return float((called_N[fires_N].mean() + (~called_N[~fires_N]).mean()) / 2)


def best_threshold(score_N: np.ndarray, fires_N: np.ndarray) -> float:
    """Where the balanced accuracy is highest: halfway between two scores, or beyond all of them.

    There have to be pictures of both kinds. Of several equally good places the lowest counts.
    """
    candidates_Q = _places(score_N)
    called = score_N[:, None] >= candidates_Q
    right_Q = called[fires_N].mean(0) + (~called[~fires_N]).mean(0)
    return float(candidates_Q[np.argmax(right_Q)])


def _places(score_N: np.ndarray) -> np.ndarray:
    known = np.unique(score_N)
    between = (known[1:] + known[:-1]) / 2
    return np.array([known[0], *between, np.nextafter(known[-1], np.inf)])


def _candidates(sure_N: np.ndarray) -> np.ndarray:
    """Places all over the scores; not all of them, where there are many."""
    places_Q = _places(sure_N)
    return places_Q[np.unique(np.linspace(0, len(places_Q) - 1, TRIED).astype(int))]


def _sure(
    lab: Lab, detector: Detector, claim: Claim, split: Split, numbers: Sequence[int]
) -> dict[str, np.ndarray]:
    """How sure the detector is of each of a claim's concepts [N]."""
    if detector == "grounder":
        return panel.sure(lab, split, numbers, claim.concepts)
    looks_NE = lab.clip.of_pictures([lab.picture(split, number) for number in numbers])
    near_NC = (looks_NE @ lab.clip.of_texts(claim.concepts).T).double().numpy()
    return dict(zip(claim.concepts, near_NC.T, strict=True))


def _near_misses(lab: Lab, claim: Claim) -> list[int]:
    """The pictures that look most like it, silent ones among them if its condition matters."""
    likely_N = panel.fit(lab, "explore", claim)
    return np.argsort(-likely_N, kind="stable")[:NEAR_MISSES].tolist()


def numbers_of(chosen: Contrast) -> list[int]:
    """The pictures' numbers, the firing ones first."""
    return [one.picture for one in (*chosen.firing, *chosen.silent)]


def fires_of(chosen: Contrast) -> np.ndarray:
    """Whether the feature fires on each [N]."""
    return np.array([True] * len(chosen.firing) + [False] * len(chosen.silent), bool)
