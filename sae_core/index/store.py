"""A finished index on disk: index.json, and flat arrays in which a feature's rows lie together.

What varies in length from feature to feature, and from picture to picture, is one long array beside
an array of where each begins. index.json is written last, so a folder that has one is whole.

Shapes: F features, M pairs of a feature and a picture, C lit cells, H bins, N related.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sae_core.errors import UserError
from sae_core.index.part import Part
from sae_core.index.related import related
from sae_core.index.spec import IndexSpec, read_spec

HEAD = "index.json"
PARTS = "parts"
"""The folder of an unfinished index's parts."""


class Arrays(NamedTuple):
    """Memory-mapped; each field is one file."""

    tokens_F: np.ndarray
    pictures_F: np.ndarray
    total_F: np.ndarray
    peak_F: np.ndarray
    histogram_FH: np.ndarray
    negative_FN: np.ndarray
    near_FN: np.ndarray
    neighbour_FN: np.ndarray
    share_FN: np.ndarray
    pairs_from_F: np.ndarray
    """[F + 1], where a feature's pairs begin, and the next one's"""
    picture_M: np.ndarray
    pair_total_M: np.ndarray
    pair_peak_M: np.ndarray
    cells_from_M: np.ndarray
    """[M + 1], where a pair's lit cells begin, and the next one's"""
    cell_C: np.ndarray
    value_C: np.ndarray


class Stored(NamedTuple):
    """An index as it lies on disk."""

    spec: IndexSpec
    arrays: Arrays


def _begins(counts: Tensor) -> np.ndarray:
    return torch.cat([torch.zeros(1, dtype=torch.int64), counts.long().cumsum(0)]).numpy()


def _missing(seen: Sequence[range], size: int) -> range:
    """The first pictures that no part has."""
    first = seen[0].stop if seen and seen[0].start == 0 else 0
    later = [span.start for span in seen if span.start > first]
    return range(first, min(later, default=size))


def write_index(folder: Path, part: Part, device: torch.device | str = "cpu") -> None:
    """Finish a part that has seen every picture."""
    missing = _missing(part.seen, part.spec.size)
    if missing:
        raise UserError(
            f"Pictures {missing.start} to {missing.stop - 1} of {part.spec.size} are in no part "
            "of the index. Try lmmscope index build again, it continues where it stopped"
        )
    pairs = part.pairs
    own = related(part.pool, part.spec, device)
    arrays = Arrays(
        *(tensor.numpy() for tensor in (*part.stats, *own)),
        pairs_from_F=_begins(torch.bincount(pairs.feature_M, minlength=part.spec.features)),
        picture_M=pairs.picture_M.numpy(),
        pair_total_M=pairs.total_M.numpy(),
        pair_peak_M=pairs.peak_M.numpy(),
        cells_from_M=_begins(pairs.lit_M),
        cell_C=pairs.cell_C.numpy(),
        value_C=pairs.value_C.numpy(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    head = folder / HEAD
    head.unlink(missing_ok=True)
    for name, array in arrays._asdict().items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    beside = head.with_suffix(".tmp")
    beside.write_text(part.spec.model_dump_json(indent=1) + "\n", encoding="utf-8")
    beside.replace(head)


def read_index(folder: Path) -> Stored:
    """Map a finished index; nothing but its head is read."""
    head = folder / HEAD
    if not head.exists():
        if (folder / PARTS).exists():
            raise UserError(
                f"The index {folder} is unfinished. Try lmmscope index build again, it continues "
                "where it stopped"
            )
        raise UserError(f"No index at {folder}: {HEAD} is missing. Try lmmscope index build")
    spec = read_spec(head.read_text(encoding="utf-8"), head)
    try:
        arrays = [
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in Arrays._fields
        ]
    except (OSError, ValueError) as error:
        raise UserError(
            f"The index {folder} is damaged: {error}. Try lmmscope index build"
        ) from None
    return Stored(spec, Arrays(*arrays))
