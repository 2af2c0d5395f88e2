"""Means over features with their intervals, and the paper's random baseline with its own.

Knows values and trials; nothing of measures.

Shapes: F features, T trials.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sae_core.scoring.estimate import Estimate
from sae_core.scoring.resampling import Span, cases_of, mean

STUDENT_99 = {10: 3.250, 30: 2.756}
"""So many standard errors either way hold 99 %, by the number of trials."""


def over(values: Sequence[float], span: Span, seed: int) -> Estimate | None:
    """The mean over features, with a 95 % bootstrap interval; None where there are none."""
    return mean(cases_of(list(values)), span, seed) if values else None


def by_chance(trials: Sequence[Sequence[float]]) -> Estimate | None:
    """The mean of the trials, each over all features, with a 99 % interval as the paper has it."""
    if not trials:
        return None
    run_T = np.array(trials).mean(0)
    value = float(run_T.mean())
    half = STUDENT_99[len(run_T)] * float(run_T.std(ddof=1)) / len(run_T) ** 0.5
    # No measure is below 0, whatever a symmetric interval says.
    return Estimate(value=value, low=max(0.0, value - half), high=value + half, n=len(run_T))


def span_of(values: Sequence[float]) -> Span:
    """From the least to the most; an unseen feature is taken for one of these."""
    return Span(min(values), max(values))
