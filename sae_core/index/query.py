"""Asks a finished index about one feature, and reads only that feature's rows.

Shapes: F features, M its pairs with pictures, H bins, N related, R x C the base grid.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sae_core.coders.coder import check_feature
from sae_core.index.arrays import Stored, read_index
from sae_core.index.bins import edges
from sae_core.index.draw import lots
from sae_core.index.spec import SHORT, IndexSpec, check_serves
from sae_core.index.stats import UNIT


class Shown(NamedTuple):
    """A picture on which a feature fires."""

    picture: int
    """Its number in the picture set."""
    mean: float
    """Over all cells of the base grid, zeros included."""
    peak: float
    """The largest cell."""
    map_RC: np.ndarray
    """float32, the activation in each cell"""


class Negative(NamedTuple):
    """A picture like the feature's own on which it is silent."""

    picture: int
    near: float
    """The cosine of its embedding with the mean of the feature's own."""


class Neighbour(NamedTuple):
    """A feature that fires on the same pictures."""

    feature: int
    share: float
    """Of the pictures on which one of the two fires, how many make both fire."""


class Histogram(NamedTuple):
    """How many activations lay between edges; the first and last bin hold what lies beyond."""

    edges_H1: np.ndarray
    counts_H: np.ndarray


class FeatureRecord(NamedTuple):
    """What an index knows of one feature. Its lists are as long as what there is, and no longer."""

    feature: int
    fires_on: int
    """On how many pictures it fires."""
    picture_rate: float
    """On what share of the pictures."""
    token_rate: float
    """On what share of the cells of the base grids."""
    mean: float
    """Its mean activation where it fires."""
    peak: float
    """Its largest activation."""
    histogram: Histogram
    top_by_mean: tuple[Shown, ...]
    top_by_max: tuple[Shown, ...]
    sample: tuple[Shown, ...]
    """Drawn by chance from the pictures on which it fires, weakest mean first."""
    negatives: tuple[Negative, ...]
    neighbours: tuple[Neighbour, ...]

    @property
    def short(self) -> bool:
        """Whether it fires on too few pictures to judge it by."""
        return self.fires_on < SHORT

    def quantiles(self, count: int) -> tuple[tuple[Shown, ...], ...]:
        """The sample cut into so many equal parts, weakest first; fewer pictures leave gaps."""
        at = np.linspace(0, len(self.sample), count + 1).round().astype(int)
        return tuple(self.sample[a:b] for a, b in pairwise(at))

    def level(self, quantile: float) -> float:
        """The activation that this share of the sample's lit cells does not exceed."""
        lit = [shown.map_RC[shown.map_RC > 0] for shown in self.sample]
        if not lit:
            return 0.0
        return float(np.quantile(np.concatenate(lit), quantile, method="inverted_cdf"))


class _Pairs(NamedTuple):
    """A feature's rows, sorted by picture."""

    picture_M: np.ndarray
    total_M: np.ndarray
    peak_M: np.ndarray
    lot_M: np.ndarray
    ends_M: np.ndarray
    """Where each one's lit cells end, and the next one's begin."""
    cell_C: np.ndarray
    value_C: np.ndarray

    def map_of(self, at: int, grid: tuple[int, int]) -> np.ndarray:
        """A pair's patch map."""
        lit = slice(self.ends_M[at - 1] if at else 0, self.ends_M[at])
        map_RC = np.zeros(grid, np.float32)
        map_RC.flat[self.cell_C[lit]] = self.value_C[lit]
        return map_RC


class Index:
    """A finished index."""

    def __init__(self, stored: Stored, folder: Path | None = None) -> None:
        self.spec: IndexSpec = stored.spec
        self.folder = folder
        """Where it was opened."""
        self._arrays = stored.arrays

    @staticmethod
    def open(
        folder: Path,
        *,
        coder: str | None = None,
        model: str | None = None,
        hook: str | None = None,
        levels: str | None = None,
    ) -> Index:
        """Open an index, if it was built for this SAE, model, hook and levels, where given."""
        stored = read_index(folder)
        check_serves(stored.spec, folder, coder=coder, model=model, hook=hook, levels=levels)
        return Index(stored, folder)

    @property
    def features(self) -> int:
        """F."""
        return self.spec.features

    def token_rates(self) -> np.ndarray:
        """On what share of the cells of the base grids each feature fires [F]."""
        return self._arrays.tokens_F / (self.spec.size * self.spec.cells)

    def picture_rates(self) -> np.ndarray:
        """On what share of the pictures each feature fires [F]."""
        return self._arrays.pictures_F / self.spec.size

    def means(self) -> np.ndarray:
        """Each feature's mean activation where it fires; 0 if it never does [F]."""
        arrays = self._arrays
        return arrays.total_F / UNIT / np.maximum(arrays.tokens_F, 1)

    def feature(self, feature: int) -> FeatureRecord:
        """Everything about one feature."""
        check_feature(self, feature)
        arrays, spec = self._arrays, self.spec
        tokens, fires_on = int(arrays.tokens_F[feature]), int(arrays.pictures_F[feature])
        pairs = self._pairs(feature)
        # Pairs are sorted by picture, and a stable sort keeps that order among equals.
        by_lot = np.sort(np.argsort(pairs.lot_M, kind="stable")[: spec.sample])
        weakest_first = by_lot[np.argsort(pairs.total_M[by_lot], kind="stable")]
        by_total = np.argsort(-pairs.total_M, kind="stable")[: spec.top]
        by_peak = np.argsort(-pairs.peak_M, kind="stable")[: spec.top]
        return FeatureRecord(
            feature=feature,
            fires_on=fires_on,
            picture_rate=fires_on / spec.size,
            token_rate=tokens / (spec.size * spec.cells),
            mean=int(arrays.total_F[feature]) / UNIT / max(tokens, 1),
            peak=float(arrays.peak_F[feature]),
            histogram=Histogram(edges(), np.array(arrays.histogram_FH[feature])),
            top_by_mean=self._shown(pairs, by_total),
            top_by_max=self._shown(pairs, by_peak),
            sample=self._shown(pairs, weakest_first),
            negatives=self._negatives(feature),
            neighbours=self._neighbours(feature),
        )

    def paper_top5(self, feature: int) -> tuple[Shown, ...]:
        """The published ranking: five pictures by the mean over all cells, zeros included.

        Only pictures on which it fires: the published code fills up with whatever comes first.
        """
        return self.feature(feature).top_by_mean[:SHORT]

    def _pairs(self, feature: int) -> _Pairs:
        arrays = self._arrays
        start, stop = arrays.pairs_from_F[feature : feature + 2].tolist()
        rows = slice(start, stop)
        picture_M = np.array(arrays.picture_M[rows])
        cells_from_M = np.array(arrays.cells_from_M[start : stop + 1])
        lit = slice(*cells_from_M[[0, -1]].tolist())
        return _Pairs(
            picture_M,
            np.array(arrays.pair_total_M[rows]),
            np.array(arrays.pair_peak_M[rows]),
            lots(self.spec.seed, torch.from_numpy(picture_M)).numpy(),
            cells_from_M[1:] - cells_from_M[0],
            np.array(arrays.cell_C[lit]),
            np.array(arrays.value_C[lit]),
        )

    def _shown(self, pairs: _Pairs, order: np.ndarray) -> tuple[Shown, ...]:
        return tuple(
            Shown(
                int(pairs.picture_M[at]),
                int(pairs.total_M[at]) / UNIT / self.spec.cells,
                float(pairs.peak_M[at]),
                pairs.map_of(at, self.spec.grid),
            )
            for at in order.tolist()
        )

    def _negatives(self, feature: int) -> tuple[Negative, ...]:
        pictures, near = self._arrays.negative_FN[feature], self._arrays.near_FN[feature]
        rows = zip(pictures.tolist(), near.tolist(), strict=True)
        return tuple(Negative(*row) for row in rows if row[0] >= 0)

    def _neighbours(self, feature: int) -> tuple[Neighbour, ...]:
        others, share = self._arrays.neighbour_FN[feature], self._arrays.share_FN[feature]
        rows = zip(others.tolist(), share.tolist(), strict=True)
        return tuple(Neighbour(*row) for row in rows if row[0] >= 0)
