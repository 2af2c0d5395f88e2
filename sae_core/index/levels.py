"""From which activation on a feature counts as firing: a share of what its best pictures reach.

Features of a coder often answer weakly to half of all pictures and strongly to a few, and it is the
few that they have a meaning for. So a level is measured once for each feature, before anybody looks
at it, and what stays below it counts as silence everywhere: in indexes, evidence and verification.
The reference is the fifth-best picture, as a single odd one should not decide.

Shapes: B pictures, F features, T the best pictures of each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.index.build import Source
from sae_core.index.harvest import Numbered
from sae_core.index.observer import Observer, peaks
from sae_core.index.spec import SHORT
from sae_core.index.table import Harvested

FILE = "levels.safetensors"
MEASURED_ON = 4096
"""So many pictures, the first ones, are enough to know what a feature's best ones reach."""


class Levels(NamedTuple):
    """Below its level a feature counts as silent."""

    level_F: Tensor
    """float32; 0 where every activation counts."""
    rate_F: Tensor
    """float32, on what share of the pictures it is active at all."""
    share: float
    """Of what its fifth-best picture reaches."""

    @property
    def digest(self) -> str:
        """SHA-256 of the levels."""
        return hashlib.sha256(self.level_F.numpy().tobytes()).hexdigest()


class StrongObserver:
    """An observer with levels: it sees only what reaches them."""

    def __init__(self, graded: Observer, levels: Levels) -> None:
        if len(levels.level_F) != graded.features:
            raise UserError(
                f"These are levels of {len(levels.level_F)} features, the coder has "
                f"{graded.features}. Try lmmscope index build"
            )
        self.graded, self.levels = graded, levels
        self.features, self.model, self.hook = graded.features, graded.model, graded.hook

    @property
    def digest(self) -> str:
        """That of the features; the levels have their own."""
        return self.graded.digest

    def observe(self, pictures: Sequence[Numbered]) -> Harvested:
        """What fires strongly in each cell of some pictures."""
        seen = self.graded.observe(pictures)
        values, indices = seen.code
        level = self.levels.level_F.to(values.device)[indices.long()]
        return seen._replace(code=Code(torch.where(values >= level, values, 0), indices))


def measured(source: Source, size: int, features: int, share: float) -> Levels:
    """Levels from the first pictures of a set."""
    best_TF, active_F, count = torch.zeros(SHORT, features), torch.zeros(features), 0
    for seen in source(range(min(size, MEASURED_ON))):
        peak_BF = peaks(Code(*(part.flatten(1).cpu() for part in seen.code)), features).float()
        best_TF = torch.cat([best_TF, peak_BF]).topk(SHORT, 0).values
        active_F += (peak_BF > 0).sum(0)
        count += len(peak_BF)
    return Levels(share * best_TF[-1], active_F / max(count, 1), share)


def levels_of(observer: Observer) -> str:
    """The digest of an observer's levels; empty where it has none."""
    return observer.levels.digest if isinstance(observer, StrongObserver) else ""


def write_levels(levels: Levels, path: Path) -> None:
    """By rename, so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    tensors = {"level_F": levels.level_F.contiguous(), "rate_F": levels.rate_F.contiguous()}
    save_file(tensors, beside, metadata={"share": json.dumps(levels.share)})
    beside.replace(path)


def read_levels(path: Path) -> Levels:
    """What `write_levels` wrote."""
    try:
        with safe_open(path, "pt") as file:
            share = json.loads(file.metadata()["share"])
            return Levels(file.get_tensor("level_F"), file.get_tensor("rate_F"), share)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} holds no levels: {error}. Try lmmscope index build") from None
