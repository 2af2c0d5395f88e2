"""Compares answers before and after: what got better, what got worse, and whether that is chance.

Knows answer sheets; nothing of what was done to the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agent.findings import Counts
from sae_core.scoring.estimate import Estimate
from sae_core.scoring.resampling import SHARE, cases_of, mean
from sae_core.scoring.significance import mcnemar_p
from tools.answers import AnswerSheet

SURE = 0.05


class Change(NamedTuple):
    """How many wrong answers became right, and right ones wrong."""

    better: int
    worse: int

    @property
    def p(self) -> float:
        """McNemar's exact test."""
        return mcnemar_p(self.better, self.worse)

    @property
    def surely_better(self) -> bool:
        """More got better than worse, and that is no chance."""
        return self.better > self.worse and self.p < SURE


def rights(sheet: AnswerSheet, numbers: Sequence[int]) -> np.ndarray:
    """Which of some questions are answered rightly, in their order."""
    right = {one.number: one.right for one in sheet.answers}
    return np.array([right[number] for number in numbers], dtype=bool)


def change(before: np.ndarray, after: np.ndarray) -> Change:
    """Between two rows of answers to the same questions."""
    return Change(int((after & ~before).sum()), int((before & ~after).sum()))


def counts(name: str, before: np.ndarray, after: np.ndarray) -> Counts:
    """The same, told in full."""
    found = change(before, after)
    return Counts(
        name=name,
        n=len(before),
        better=found.better,
        same=len(before) - found.better - found.worse,
        worse=found.worse,
        p=found.p,
        right_before=int(before.sum()),
        right_after=int(after.sum()),
    )


def share(hits: np.ndarray, seed: int) -> Estimate:
    """The share of questions of which something holds, each about a picture of its own."""
    return mean(cases_of(hits.astype(float)), SHARE, seed)
