"""Shares with intervals, and pairs of right and wrong answers, where one picture has many answers.

Knows numbers only. An interval reckons with whole clusters: the answers about one picture, or about
a picture and what was made of it, keep or lose their weight together.

Shapes: N answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.paper.report import Cell
from sae_core.scoring.estimate import Difference, Estimate
from sae_core.scoring.resampling import SHARE, Cases, difference, mean
from sae_core.scoring.significance import mcnemar_p


class Group(NamedTuple):
    """Some of what was asked, and what it came to."""

    name: str
    cells: Mapping[str, Cell]
    """By the name of the measure."""


class Part(NamedTuple):
    """Which answers belong together, by name."""

    name: str
    among_N: np.ndarray


class Paired(NamedTuple):
    """The same answers before and after."""

    better: int
    same: int
    worse: int
    p: float
    """McNemar's exact test, for which all answers are independent."""
    change: Difference
    """Of the share of right ones, whole clusters counting once."""


def share(
    value_N: np.ndarray | Sequence[bool], cluster_N: np.ndarray, seed: int
) -> Estimate | None:
    """The share of true ones; None where there are none to take a share of."""
    values_N = np.asarray(value_N, dtype=np.float64)
    return mean(Cases(values_N, cluster_N), SHARE, seed) if len(values_N) else None


def numbered(names: Sequence[Hashable]) -> np.ndarray:
    """The same number for the same name, in the order in which names first come [N]."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def paired(before_N: np.ndarray, after_N: np.ndarray, cluster_N: np.ndarray, seed: int) -> Paired:
    """What became right and what wrong."""
    better, worse = int((after_N & ~before_N).sum()), int((before_N & ~after_N).sum())
    after, before = (Cases(each_N.astype(float), cluster_N) for each_N in (after_N, before_N))
    return Paired(
        better,
        len(before_N) - better - worse,
        worse,
        mcnemar_p(better, worse),
        difference(after, before, SHARE, seed),
    )


def some(cluster_N: np.ndarray, most: int | None, seed: int) -> np.ndarray:
    """Whole clusters by chance, so many answers at most but one cluster at least [N of bool]."""
    if most is None or most >= len(cluster_N):
        return np.ones(len(cluster_N), bool)
    sizes = np.bincount(cluster_N)
    order = np.random.default_rng((71, seed)).permutation(len(sizes))
    kept = max(1, int((sizes[order].cumsum() <= most).sum()))
    return np.isin(cluster_N, order[:kept])
