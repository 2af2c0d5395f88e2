"""The bins of the histograms of activations: two for each power of two.

Knows where they lie; nothing of what falls into them, and no torch.
"""

from __future__ import annotations

import numpy as np

LOWEST = -17
"""The histogram begins at this power of two, below the paper's threshold of 1e-5."""
BINS = 60
"""Two for each power of two; what lies beyond the first or last counts there."""


def edges() -> np.ndarray:
    """Where the bins begin and end [H + 1]: 2**n and 1.5 * 2**n."""
    step = np.arange(BINS + 1)
    return np.exp2(LOWEST + step // 2) * np.where(step % 2, 1.5, 1.0)
