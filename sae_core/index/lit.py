"""Which features fire on each picture: kept beside an index, so that nobody has to look again.

An index keeps the pictures of each feature that tell most; this is the other way round, and whole.
It is optional: where it would be too large, or a build was interrupted, there is none.

Shapes: N pictures, M pairs of a picture and a feature that fires on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch

from sae_core.index.arrays import HEAD
from sae_core.index.build import Source, build_index
from sae_core.index.spec import IndexSpec
from sae_core.index.table import Harvested

FILE = "lit.npz"
MOST = 1 << 26
"""So many pairs are kept, and no more: a quarter of a gigabyte."""
Rows = dict[int, np.ndarray]
"""The features that fire on each of some pictures, in order, by the picture's number."""


class Lit(NamedTuple):
    """The features that fire on each picture, in order."""

    from_N1: np.ndarray
    feature_M: np.ndarray

    def on(self, picture: int) -> np.ndarray:
        """Those of one picture."""
        return self.feature_M[self.from_N1[picture] : self.from_N1[picture + 1]]


def lit_of(seen: Harvested) -> list[np.ndarray]:
    """The features that fire on each picture of a batch."""
    values_BS, indices_BS = (part.flatten(1).cpu() for part in seen.code)
    pairs = zip(values_BS, indices_BS, strict=True)
    return [np.unique(indices_S[values_S > 0].numpy()) for values_S, indices_S in pairs]


class Noted:
    """What fires on the pictures seen so far, as long as it is not too much."""

    def __init__(self) -> None:
        self._rows, self._pairs = dict[int, np.ndarray](), 0

    def add(self, rows: Rows) -> None:
        """Note what fires on some pictures more."""
        if not self.full:
            self._rows |= rows
            self._pairs += sum(map(len, rows.values()))

    @property
    def full(self) -> bool:
        """It is too much, and will not be written."""
        return self._pairs > MOST

    @property
    def rows(self) -> Rows:
        """So far."""
        return self._rows

    def write(self, folder: Path, size: int) -> bool:
        """Put it beside the finished index, if all of the pictures were seen and it is not much."""
        if len(self._rows) < size or self.full:
            return False
        rows = [self._rows[number] for number in range(size)]
        from_N1 = np.cumsum([0, *map(len, rows)])
        feature_M = np.concatenate(rows) if rows else np.empty(0)
        beside = folder / f".{FILE}.tmp"
        with beside.open("wb") as file:
            np.savez_compressed(
                file, of=_name(folder), from_N1=from_N1, feature_M=feature_M.astype(np.int32)
            )
        beside.replace(folder / FILE)
        return True


class Recorder:
    """A source that notes what fires while an index is built from it."""

    def __init__(self, source: Source) -> None:
        self._source, self.noted = source, Noted()

    def __call__(self, span: range) -> Iterator[Harvested]:
        """The source's batches."""
        for seen in self._source(span):
            if not self.noted.full:
                self.noted.add(dict(zip(seen.picture_B.tolist(), lit_of(seen), strict=True)))
            yield seen


def build_with_lit(
    folder: Path, spec: IndexSpec, source: Source, device: torch.device | str = "cpu"
) -> None:
    """Build an index, and put beside it what fires on each picture, if that can be."""
    recorder = Recorder(source)
    build_index(folder, spec, recorder, device=device)
    recorder.noted.write(folder, spec.size)


def read_lit(folder: Path) -> Lit | None:
    """What lies beside an index, if it belongs to it."""
    try:
        with (folder / FILE).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if str(file["of"]) != _name(folder):
                return None
            return Lit(file["from_N1"], file["feature_M"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None  # then whoever asks looks at the pictures


def _name(folder: Path) -> str:
    """What the index was built from."""
    return hashlib.sha256((folder / HEAD).read_bytes()).hexdigest()
