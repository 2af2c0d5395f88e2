"""Gathers evidence for a feature: where it fires strongly, where weakly, and where it is silent.

What fires is read from the index; what is silent is asked of the observer, since an index keeps
only some of the pictures on which a feature fires. Knows nothing of labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, zip_longest
from typing import NamedTuple

import torch

from sae_core.index.draw import lots
from sae_core.index.query import FeatureRecord, Index, Shown
from tools import panel
from tools.evidence import Evidence, Group, Sighting, Split
from tools.failures import WontWork
from tools.lab import Lab
from tools.observing import AT_ONCE

PATIENCE = 8 * AT_ONCE
"""So many pictures are looked at in search of silent ones of a kind, and no more."""


class Amounts(NamedTuple):
    """How many pictures of each kind to gather."""

    top: int = 5
    """By mean, and as many again by maximum."""
    per_quantile: int = 2
    quantiles: int = 4
    negatives: int = 8
    """Of each of the three kinds."""


class Gathered(NamedTuple):
    """The evidence, and the record of the index that it comes from."""

    evidence: Evidence
    record: FeatureRecord


def gather(lab: Lab, feature: int, split: Split, amounts: Amounts | None = None) -> Gathered:
    """Evidence for a feature on a split; where there is less than asked for, what there is."""
    amounts = amounts or Amounts()
    index = index_of(lab, split)
    record = index.feature(feature)
    firing = tuple(_firing(record, amounts, lab.seed))
    silent, levels = _Silent(lab, split, index, record), lab.levels
    evidence = Evidence(
        feature=feature,
        coder=index.spec.coder,
        model=index.spec.model,
        hook=index.spec.hook,
        split=split,
        pictures=index.spec.pictures,
        grid=index.spec.grid,
        fires_on=record.fires_on,
        size=index.spec.size,
        short=record.short,
        mean=record.mean,
        peak=record.peak,
        level=record.level(0.5),
        fires_from=0.0 if levels is None else float(levels.level_F[feature]),
        active_on=None if levels is None else float(levels.rate_F[feature]),
        sightings=(*firing, *silent.sightings(amounts.negatives)),
    )
    return Gathered(evidence, record)


def index_of(lab: Lab, split: Split) -> Index:
    """The index of a split, if it was built from the very pictures that the lab shows."""
    index, pictures = lab.index(split), lab.pictures(split)
    if index.spec.pictures != pictures.digest:
        raise WontWork(
            f"The index of {split} was built from pictures {index.spec.pictures[:12]}, the lab "
            f"shows {pictures.digest[:12]}. Try lmmscope index build"
        )
    return index


def _firing(record: FeatureRecord, amounts: Amounts, seed: int) -> Iterator[Sighting]:
    used: set[int] = set()

    def fresh(shown: Iterable[Shown], count: int) -> Iterator[Shown]:
        for one in islice((one for one in shown if one.picture not in used), count):
            used.add(one.picture)
            yield one

    for one in fresh(record.top_by_mean, amounts.top):
        yield _sighting(one, "top_by_mean")
    for one in fresh(record.top_by_max, amounts.top):
        yield _sighting(one, "top_by_max")
    for number, part in enumerate(record.quantiles(amounts.quantiles)):
        by_chance = [part[at] for at in _drawn(seed, [one.picture for one in part])]
        for one in fresh(by_chance, amounts.per_quantile):
            yield _sighting(one, "quantile", number)


def _sighting(shown: Shown, group: Group, quantile: int | None = None) -> Sighting:
    cells = tuple(tuple(row) for row in shown.map_RC.tolist())
    return Sighting(
        picture=shown.picture,
        group=group,
        quantile=quantile,
        mean=shown.mean,
        peak=shown.peak,
        cells=cells,
    )


class _Silent:
    """Finds pictures on which a feature is silent; each is found once."""

    def __init__(self, lab: Lab, split: Split, index: Index, record: FeatureRecord) -> None:
        self._lab, self._split, self._index, self._record = lab, split, index, record
        own = chain(record.top_by_mean, record.top_by_max, record.sample)
        self._used = {shown.picture for shown in own}

    def sightings(self, count: int) -> Iterator[Sighting]:
        """So many of each kind, or as many as there are."""
        # Random ones first: what others left over would be no fair draw.
        sources: dict[Group, Iterable[int]] = {
            "random": self._random(),
            "near": (negative.picture for negative in self._record.negatives),
            "neighbour": self._neighbours(),
        }
        for group, numbers in sources.items():
            for number in self._first(numbers, count):
                self._used.add(number)
                yield Sighting(picture=number, group=group)

    def _random(self) -> Iterator[int]:
        """All pictures in the order of lots that depend on the feature as well."""
        numbers = range(self._index.spec.size)
        return iter(_drawn(self._lab.seed + self._record.feature, numbers))

    def _neighbours(self) -> Iterator[int]:
        """Pictures of the neighbours: of each the strongest, then of each the next."""
        own = [self._index.feature(n.feature).top_by_mean for n in self._record.neighbours]
        for shown in chain.from_iterable(zip_longest(*own)):
            if shown is not None:
                yield shown.picture

    def _first(self, numbers: Iterable[int], count: int) -> list[int]:
        """The first so many on which the feature is silent."""
        fresh = (n for n in dict.fromkeys(numbers) if n not in self._used)
        candidates, found = islice(fresh, PATIENCE), []
        while len(found) < count and (
            batch := list(islice(candidates, min(AT_ONCE, 2 * (count - len(found)))))
        ):
            fires_N = panel.fires(self._lab, self._split, batch, self._record.feature)
            found += [n for n, fires in zip(batch, fires_N.tolist(), strict=True) if not fires]
        return found[:count]


def _drawn(seed: int, pictures: Sequence[int]) -> list[int]:
    """The places of some pictures in an order of chance."""
    return lots(seed, torch.tensor(pictures, dtype=torch.int64)).argsort(stable=True).tolist()
