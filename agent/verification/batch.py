"""Which findings of a batch are still discoveries when there are many of them.

Knows p-values; nothing of what they come from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sae_core.scoring.significance import benjamini_hochberg


def among(chances: Mapping[str, float]) -> dict[str, float]:
    """Each p among all of them, by the same names; those that failed are tries too."""
    p_N = np.array(list(chances.values()), np.float64)
    return dict(zip(chances, benjamini_hochberg(p_N).tolist(), strict=True))
