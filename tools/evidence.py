"""What a feature does on some pictures: the document that explaining and scoring start from.

Knows numbers of pictures and cells; nothing of labels, and nothing of how evidence is gathered
(`tools.top_images`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Split = Literal["explore", "validate", "test"]
"""Pictures to explain from, to score on, and to verify on, once."""
Group = Literal[
    "top_by_mean", "top_by_max", "quantile", "random", "near", "neighbour", "fitting", "rival"
]
"""Why a picture is here. The last five are negatives: the feature is silent there. `near` ones
look like its own, on `neighbour` ones a feature fires that often fires along with it, `fitting`
ones fit what it is said to mean, `rival` ones would but for a condition, or fit what it might mean
instead."""
FIRING: tuple[Group, ...] = ("top_by_mean", "top_by_max", "quantile")
SILENT: tuple[Group, ...] = ("random", "near", "neighbour", "fitting", "rival")


class Sighting(BaseModel):
    """A feature on one picture."""

    model_config = ConfigDict(frozen=True)

    picture: int
    """Its number in the split."""
    group: Group
    quantile: int | None = None
    """Which quarter of its activations this is, 0 the weakest; of `quantile` alone."""
    mean: float = 0.0
    """Over all cells, zeros included."""
    peak: float = 0.0
    """The largest cell."""
    cells: tuple[tuple[float, ...], ...] = ()
    """The activation in each cell, row by row; nothing where the feature is silent."""

    def map_RC(self, grid: tuple[int, int]) -> np.ndarray:
        """The activation in each cell, as an array."""
        return np.array(self.cells, np.float32) if self.cells else np.zeros(grid, np.float32)


class Evidence(BaseModel):
    """What a feature does, with the pictures that show it."""

    model_config = ConfigDict(frozen=True)

    feature: int
    coder: str
    """The digest of the coder, or of the planted set, that the feature belongs to."""
    model: str
    hook: str
    split: Split
    pictures: str
    """The digest of the picture set."""
    grid: tuple[int, int]
    """Rows and columns of cells."""
    fires_on: int
    """On how many pictures of the split it fires."""
    size: int
    """How many pictures the split has."""
    short: bool
    """It fires on too few pictures to be judged."""
    mean: float
    """Where it fires."""
    peak: float
    level: float
    """The activation that half of its lit cells exceed: where `strict` begins."""
    fires_from: float = 0.0
    """From this activation on it counts as firing; what is weaker counts as silence."""
    active_on: float | None = None
    """On what share of the pictures it is active at all; None where that is no other number."""
    sightings: tuple[Sighting, ...]

    def of(self, *groups: Group) -> tuple[Sighting, ...]:
        """The sightings of some groups."""
        return tuple(one for one in self.sightings if one.group in groups)
