"""What chance, or a label that knows nothing of the feature, would have scored.

Knows cases and draws; nothing of masks or embeddings.

Shapes: D draws, P pictures, L labels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sae_core.scoring.estimate import Null, NullName, interval
from sae_core.scoring.resampling import Cases, Span, mean, mean_value, paired
from sae_core.scoring.significance import rank_p, sign_flip_p


def drawn_null(name: NullName, value: float, null_D: np.ndarray, n: int) -> Null:
    """Of the same measurement under chance: its mean, and where its middle 95 % lie."""
    centre = float(np.sort(null_D).mean())
    spread = interval(centre, null_D, null_D)
    return Null(
        name=name,
        value=centre,
        low=spread.low,
        high=spread.high,
        n=n,
        draws=len(null_D),
        p=rank_p(value, null_D),
    )


def labels_null(own: Cases, others: Sequence[Cases], span: Span, seed: int) -> Null:
    """Of other features' labels: their mean by picture; p is the own label's rank among them."""
    everything = Cases(*(np.concatenate(parts) for parts in zip(*others, strict=True)))
    scores_L = np.array([mean_value(other, span) for other in others])
    return Null(
        name="shuffled_labels",
        draws=len(others),
        p=rank_p(mean_value(own, span), scores_L),
        **mean(everything, span, seed).model_dump(),
    )


def caption_null(own: Cases, generic: Cases, span: Span, seed: int) -> Null:
    """Of a caption that fits any picture, on the same pictures; p from paired signs."""
    return Null(
        name="generic_caption",
        draws=1,
        p=sign_flip_p(paired(own, generic, span), seed, two_sided=False),
        **mean(generic, span, seed).model_dump(),
    )
