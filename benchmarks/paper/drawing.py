"""Which features are measured: drawn by chance among those that can be judged.

Knows an index's counts; nothing of labels.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from sae_core.errors import UserError
from sae_core.index.query import Index
from sae_core.index.spec import SHORT


class Drawn(BaseModel):
    """Some features, and what they were drawn from."""

    model_config = ConfigDict(frozen=True)

    features: tuple[int, ...]
    eligible: int
    few: int
    """These fire on too few pictures to be judged."""
    silent: int
    """These never fire."""
    pictures: int

    @property
    def told(self) -> str:
        """In words."""
        return (
            f"{len(self.features)} features, drawn by chance from {self.eligible} that fire on "
            f"{SHORT} or more of {self.pictures} explore pictures; left out: {self.silent} that "
            f"never fire there, {self.few} that fire on 1 to {SHORT - 1}."
        )


def draw(index: Index, count: int, seed: int) -> Drawn:
    """So many features, or all there are; fewer of the same seed are among more of it."""
    fires_F = np.rint(index.picture_rates() * index.spec.size).astype(np.int64)
    eligible = np.flatnonzero(fires_F >= SHORT)
    if not len(eligible):
        raise UserError(
            f"None of {len(fires_F)} features fires on {SHORT} of {index.spec.size} explore "
            "pictures. Give more of them: LMMSCOPE_DATA__EXPLORE_PICTURES"
        )
    drawn = np.random.default_rng(seed).permutation(eligible)[:count]
    return Drawn(
        features=tuple(drawn.tolist()),
        eligible=len(eligible),
        few=int(((fires_F > 0) & (fires_F < SHORT)).sum()),
        silent=int((fires_F == 0).sum()),
        pictures=index.spec.size,
    )
