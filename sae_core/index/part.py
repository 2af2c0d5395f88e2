"""What is known of some pictures of a set: a part of an index, complete on disk or absent.

Parts of disjoint pictures merge into one, exactly, in any order.

Shapes: F features, M pairs, S pictures of the pool.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sae_core.errors import UserError
from sae_core.index.pairs import Pairs, kept
from sae_core.index.pool import Pool, drawn
from sae_core.index.spec import IndexSpec, check_same, read_spec
from sae_core.index.stats import Stats, added


class Part(NamedTuple):
    """What is known of the pictures of some ranges."""

    spec: IndexSpec
    seen: tuple[range, ...]
    """Disjoint, in order, none touching the next."""
    stats: Stats
    pairs: Pairs
    pool: Pool


def joined(ranges: Sequence[range]) -> tuple[range, ...]:
    """Disjoint ranges in order, those that touch made one; one picture in two is an error."""
    done: list[range] = []
    for span in sorted((span for span in ranges if span), key=lambda span: span.start):
        if done and span.start < done[-1].stop:
            raise UserError(
                f"Pictures {span.start} to {min(span.stop, done[-1].stop) - 1} are in two parts "
                "of the index: they would count twice. Merge only disjoint parts"
            )
        if done and span.start == done[-1].stop:
            done[-1] = range(done[-1].start, span.stop)
        else:
            done.append(span)
    return tuple(done)


def merged(parts: Sequence[Part]) -> Part:
    """One part of several."""
    spec = parts[0].spec
    for part in parts[1:]:
        check_same(part.spec, spec, f"The part from picture {part.seen[0].start}")
    return Part(
        spec,
        joined([span for part in parts for span in part.seen]),
        added([part.stats for part in parts]),
        kept([part.pairs for part in parts], spec).pairs,
        drawn([part.pool for part in parts], spec),
    )


def write_beside(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A file that is complete, or absent."""
    beside = path.with_name(f"{path.name}.tmp")
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def save_part(part: Part, path: Path) -> None:
    """Write a part."""
    arrays = {
        f"{group}.{name}": tensor.numpy()
        for group in ("stats", "pairs", "pool")
        for name, tensor in getattr(part, group)._asdict().items()
    }
    arrays["seen"] = np.array([(span.start, span.stop) for span in part.seen], dtype=np.int64)
    arrays["spec"] = np.array(part.spec.model_dump_json())
    write_beside(path, arrays)


def load_part(path: Path) -> Part:
    """Read a part."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, zipfile.BadZipFile):
        raise UserError(
            f"{path} is no part of an index. Remove it, and try lmmscope index build"
        ) from None

    def group(name: str, fields: Sequence[str]) -> list[torch.Tensor]:
        return [torch.from_numpy(arrays[f"{name}.{field}"]) for field in fields]

    return Part(
        read_spec(str(arrays["spec"]), path),
        tuple(range(start, stop) for start, stop in arrays["seen"].tolist()),
        Stats(*group("stats", Stats._fields)),
        Pairs(*group("pairs", Pairs._fields)),
        Pool(*group("pool", Pool._fields)),
    )
