"""Counts batches of codes into what an index keeps, in memory that no number of pictures grows.

The pairs of a batch that may still be kept wait until there are as many as are kept already:
folding them in means sorting, and that costs too much to do for every batch.

Shapes: B pictures of a batch, F features.
"""

from __future__ import annotations

import torch

from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.index.draw import LAST, lots
from sae_core.index.pairs import Limits, Pairs, kept, no_limits, no_pairs
from sae_core.index.part import Part, joined
from sae_core.index.pool import Pool, drawn
from sae_core.index.spec import IndexSpec
from sae_core.index.stats import Stats, no_stats
from sae_core.index.table import Harvested, table_of

TABLE = 1 << 22
"""How many cells a batch's table of pictures by features may have; larger batches are cut."""
WAITING = 1 << 17
"""How many pairs may wait to be folded in, even while fewer are kept."""


class Tally:
    """What is known of the pictures counted so far. Codes are reduced on the device they are on."""

    def __init__(
        self, spec: IndexSpec, device: torch.device | str = "cpu", start: Part | None = None
    ) -> None:
        self.spec, self._device = spec, torch.device(device)
        stats = start.stats if start else no_stats(spec.features)
        self._stats = Stats(*(part.to(self._device, copy=True) for part in stats))
        self._pairs: list[Pairs] = [start.pairs if start else no_pairs()]
        """What is kept, then what waits."""
        self._pools: list[Pool] = [start.pool] if start else []
        self._kept, self._pool_lot = 0, LAST
        self._limits = Limits(*(part.to(self._device) for part in no_limits(spec.features)))
        if start:
            self._fold()

    def add(self, seen: Harvested) -> None:
        """Count a batch of pictures, none of which may have been counted before."""
        self._check(seen)
        step = max(1, TABLE // self.spec.features)
        for at in range(0, len(seen.picture_B), step):
            rows = slice(at, at + step)
            self._count(Harvested(
                seen.picture_B[rows].cpu(),
                Code(*(part[rows].to(self._device) for part in seen.code)),
                seen.embedding_BE[rows].float().cpu(),
                seen.grid,
            ))  # fmt: skip
        waiting = sum(len(pairs.feature_M) for pairs in self._pairs) - self._kept
        pictures = sum(len(pool.picture_S) for pool in self._pools)
        if waiting > max(WAITING, self._kept) or pictures > 2 * self.spec.pool:
            self._fold()

    def _check(self, seen: Harvested) -> None:
        cells = seen.code.values_NK.shape[1]
        if seen.grid != self.spec.grid or cells != self.spec.cells:
            raise UserError(
                f"Picture {int(seen.picture_B[0])} has a base grid of {seen.grid[0]} x "
                f"{seen.grid[1]}, this index one of {self.spec.grid[0]} x {self.spec.grid[1]}. "
                "Resize the pictures to one size"
            )
        if not bool(torch.isfinite(seen.code.values_NK).all()):
            raise UserError(
                f"NaN or infinite activations in the code of pictures {int(seen.picture_B.min())} "
                f"to {int(seen.picture_B.max())}. Check the SAE with lmmscope sae info"
            )

    def _count(self, seen: Harvested) -> None:
        table = table_of(seen.code, self.spec.features)
        table.add_to(self._stats)
        lot_B = lots(self.spec.seed, seen.picture_B)
        may_BF = (table.peak_BF > 0) & (
            (table.total_BF >= self._limits.total_F)
            | (table.peak_BF >= self._limits.peak_F)
            | (lot_B[:, None].to(self._device) <= self._limits.lot_F)
        )
        if bool(may_BF.any()):
            self._pairs.append(table.pairs(seen.picture_B, may_BF))
        chosen = (lot_B <= self._pool_lot).nonzero()[:, 0]
        if len(chosen):
            self._pools.append(table.pool(seen.picture_B, seen.embedding_BE, chosen))

    def _fold(self) -> None:
        pairs, limits = kept(self._pairs, self.spec)
        self._pairs, self._kept = [pairs], len(pairs.feature_M)
        self._limits = Limits(*(part.to(self._device) for part in limits))
        pool = drawn(self._pools, self.spec)
        self._pools = [pool]
        if len(pool.picture_S) == self.spec.pool:
            self._pool_lot = int(lots(self.spec.seed, pool.picture_S).max())

    def part(self, *seen: range) -> Part:
        """What is known of the pictures that were counted, which the caller knows best."""
        self._fold()
        stats = Stats(*(part.to("cpu", copy=True) for part in self._stats))
        return Part(self.spec, joined(seen), stats, self._pairs[0], self._pools[0])
