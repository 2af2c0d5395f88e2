"""The share of a judge's answers that say: yes, this picture shows the label.

Knows zeros and ones; nothing of judges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sae_core.errors import UserError
from sae_core.scoring.estimate import Score
from sae_core.scoring.nulls import labels_null
from sae_core.scoring.resampling import SHARE, Cases, mean


def consistency(judged: Cases, shuffled: Sequence[Cases], seed: int = 0) -> Score:
    """Score a label's judgements; `shuffled` holds those of other features' labels, by label."""
    if not shuffled:
        raise UserError(
            "No judgements of shuffled labels: a judge who always agrees would go unnoticed. "
            "Judge the same pictures for other features' labels"
        )
    for cases in (judged, *shuffled):
        if not np.isin(cases.value_N, (0, 1)).all():
            raise UserError("A judgement is neither 0 nor 1. Leave failures out")
    score = mean(judged, SHARE, seed)
    return Score(**score.model_dump(), nulls=(labels_null(judged, shuffled, SHARE, seed),))
