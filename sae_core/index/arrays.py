"""A finished index on disk: index.json, and flat arrays in which a feature's rows lie together.

What varies in length from feature to feature, and from picture to picture, is one long array beside
an array of where each begins. index.json is written last, so a folder that has one is whole.
Reading it needs no torch.

Shapes: F features, M pairs of a feature and a picture, C lit cells, H bins, N related.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sae_core.errors import UserError
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
