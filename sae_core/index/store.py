"""Writes a finished index: what `sae_core.index.arrays` reads.

Shapes: F features, M pairs of a feature and a picture, C lit cells, H bins, N related.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sae_core.errors import UserError
from sae_core.index.arrays import HEAD, Arrays
from sae_core.index.part import Part
from sae_core.index.related import related


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
