"""What a claim has to pass: each check is a number whose interval has to lie above a bar.

Knows measurements; nothing of pictures or of how they were chosen.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from agent.findings import Check, Verification
from sae_core.scoring.detection import detection
from sae_core.scoring.estimate import Estimate, NullName, Score
from sae_core.scoring.resampling import SHARE, Cases, mean
from sae_core.scoring.significance import share_p
from tools.failures import WontWork
from tools.score import ScoreResult, ScoreSheet, Which

GUESS = 0.5
"""What balanced accuracy and the area under the curve are for a claim that knows nothing."""
TOLD = 0.6
"""Balanced accuracy has to be surely above this: better than a guess by more than a shade."""
REACHED = 0.5
"""The claim has to foretell surely more than this share of the firing: one of two meanings, or of
two alternatives, reaches about half."""
PLACED = 0.05
"""Where the feature fires and where the label is found have to overlap surely more than this. The
paper's labels reach 0.2 on the mean, random masks 0.005."""
CHANCE = 0.05
"""A check fails where its null does as well more often than this."""


class Measurement(NamedTuple):
    """What was measured of a claim, picture by picture."""

    result: ScoreResult
    sheet: ScoreSheet
    near: frozenset[int]
    """The near misses among the pictures: silent ones that fit the claim itself, or nearly."""
    placed: bool
    """Whether anybody can say where in a picture the feature fires."""
    seed: int
    tries: int = 1
    """How often the pictures have been opened for this feature: each p is multiplied by it."""

    @property
    def foretold(self) -> Foretold:
        """What the detector said; WontWork if it said nothing."""
        if self.result.threshold is None:
            raise WontWork(self.result.unmeasured["detection"].reason)
        rows = [
            (one.picture, one.foretold, one.fires)
            for one in self.sheet.pictures
            if one.foretold is not None and one.fires is not None
        ]
        numbers, scores, fires = zip(*rows, strict=True)
        return Foretold(np.array(numbers), np.array(scores), np.array(fires), self.result.threshold)


class Foretold(NamedTuple):
    """How well a detector finds that a claim fits, beside the truth."""

    picture_N: np.ndarray
    score_N: np.ndarray
    fires_N: np.ndarray
    threshold: float

    @property
    def right(self) -> Cases:
        """Whether it was right, by picture."""
        right_N = (self.score_N >= self.threshold) == self.fires_N
        return Cases(right_N.astype(np.float64), self.picture_N)

    def only(self, keep_N: np.ndarray) -> Foretold:
        """The same of some pictures."""
        return Foretold(
            self.picture_N[keep_N], self.score_N[keep_N], self.fires_N[keep_N], self.threshold
        )


class Outcome(NamedTuple):
    """All checks, and those that could not be made."""

    checks: tuple[Check, ...]
    unmeasured: dict[str, str]

    @property
    def passed(self) -> bool:
        """A check that could not be made is not passed."""
        return not self.unmeasured and all(check.passed for check in self.checks)


def checked(measured: Measurement) -> Outcome:
    """Make all checks; `where` is none where cells have no place in the picture."""
    made: list[Check] = []
    unmeasured: dict[str, str] = {}
    for name, check in CHECKS.items():
        if check is _where and not measured.placed:
            continue
        try:
            made.append(_paid(check(name, measured), measured.tries))
        except WontWork as failure:
            unmeasured[name] = failure.reason
    return Outcome(tuple(made), unmeasured)


def _foretells(name: str, measured: Measurement) -> Check:
    """It says of more pictures than by guessing whether the feature fires."""
    score = _score(measured, "detection", "balanced_accuracy")
    return _check(name, score, TOLD, _p(score, "shuffled_labels"))


def _ranks(name: str, measured: Measurement) -> Check:
    """Pictures on which the feature fires fit it better, wherever the threshold is."""
    score = _score(measured, "detection", "auroc")
    return _check(name, score, GUESS, _p(score, "shuffled_labels"))


def _reaches(name: str, measured: Measurement) -> Check:
    """It is not too narrow: it fits most of the pictures on which the feature fires."""
    foretold = measured.foretold
    right = foretold.only(foretold.fires_N).right
    p = share_p(int(right.value_N.sum()), len(right.value_N), REACHED)
    return _check(name, mean(right, SHARE, measured.seed), REACHED, p)


def _near_misses(name: str, measured: Measurement) -> Check:
    """It is not too broad: it tells firing pictures from silent ones that nearly fit."""
    foretold = measured.foretold
    near_N = np.isin(foretold.picture_N, list(measured.near))
    if not near_N.any():
        raise WontWork("No silent picture was found that nearly fits")
    some = foretold.only(near_N | foretold.fires_N)
    score = detection(some.score_N, some.fires_N, some.threshold, measured.seed).auroc
    return _check(name, score, GUESS, _p(score, "shuffled_labels"))


def _where(name: str, measured: Measurement) -> Check:
    """What it names lies where the feature fires, more than anywhere else in the picture.

    What fills the picture overlaps with everything, so the p alone says whether it is more.
    """
    score = _score(measured, "iou", "iou_strict")
    return _check(name, score, PLACED, _p(score, "moved_masks"))


def _judge(name: str, measured: Measurement) -> Check:
    """A blind judge finds that it fits, more often than other features' labels."""
    score = _score(measured, "consistency", "consistency")
    return _check(name, score, _null(score, "shuffled_labels"))


CHECKS: Mapping[str, Callable[[str, Measurement], Check]] = {
    "foretells firing": _foretells,
    "ranks firing first": _ranks,
    "reaches": _reaches,
    "near misses": _near_misses,
    "where": _where,
    "judge": _judge,
}


def _paid(check: Check, tries: int) -> Check:
    """With the price of having tried before: Bonferroni's."""
    if check.p is None or tries == 1:
        return check
    p = min(1.0, check.p * tries)
    return check.model_copy(update={"p": p, "passed": check.passed and p < CHANCE})


def chance_of(verification: Verification) -> float:
    """The claim's p: all checks have to hold, so it is as sure as the least sure of them.

    One that failed is no discovery whatever its p, and must not make others look less rare.
    """
    if not verification.passed:
        return 1.0
    return max((check.p for check in verification.checks if check.p is not None), default=1.0)


def _check(name: str, found: Estimate, bar: float, p: float | None = None) -> Check:
    passed = found.low > bar and (p is None or p < CHANCE)
    return Check(name=name, passed=passed, value=found.value, low=found.low, bar=bar, p=p)


def _score(measured: Measurement, which: Which, name: str) -> Score:
    result = measured.result
    for known, score in result.scores.items():
        if known == name:
            return score
    raise WontWork(result.unmeasured[which].reason)


def _null(score: Score, name: NullName) -> float:
    return next(null.value for null in score.nulls if null.name == name)


def _p(score: Score, name: NullName) -> float:
    return next(null.p for null in score.nulls if null.name == name)
