"""Which findings of a batch are still discoveries when there are many of them.

Knows p-values; nothing of what they come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.findings import FeatureFinding
from agent.verification.checks import combined_p
from sae_core.scoring.significance import benjamini_hochberg


def adjusted(findings: Sequence[FeatureFinding]) -> dict[str, float]:
    """Each verified finding's p among all of them, by its id; the refuted ones are tries too."""
    tried = {one.id: one.verification for one in findings if one.verification is not None}
    p_N = np.array([combined_p(one) for one in tried.values()], np.float64)
    return dict(zip(tried, benjamini_hochberg(p_N).tolist(), strict=True))


def corrected(findings: Sequence[FeatureFinding], rate: float) -> tuple[FeatureFinding, ...]:
    """The same findings; those that are no discovery at this rate are supported no longer."""
    among = adjusted(findings)
    return tuple(
        one.model_copy(update={"status": "refuted"})
        if one.status == "supported" and among.get(one.id, 1.0) > rate
        else one
        for one in findings
    )
