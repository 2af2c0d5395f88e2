"""A coder of which each process holds some features, for dictionaries that fit on no device alone.

Every process sees all rows and holds F / P features: their encoder and decoder rows, with the
decoder's bias. Candidates are picked where their features are, and chosen among all of them;
reconstructions are summed. So the numbers, gradients included, are those of one process that holds
everything.

Knows the other processes; nothing of steps or files.

Shapes: N rows, R pieces of rows, K slots of a row, M candidates, F features held here, D width,
P processes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.coders.selection import Picked, Pieces, kept
from sae_core.errors import UserError
from sae_core.processes import gathered, processes, rank, total

DRAWN = 1 << 12
"""Rows of the whole table that are drawn at once when weights are made."""


class Shard(SparseCoder):
    """What a process holds of a coder. All processes must call the same methods together."""

    def __init__(self, whole: CoderConfig) -> None:
        if whole.features % processes():
            raise UserError(
                f"{whole.features} features can't be shared by {processes()} processes. "
                f"Try --features {processes() * max(1, whole.features // processes())}"
            )
        super().__init__(whole.model_copy(update={"features": whole.features // processes()}))

    @property
    def first(self) -> int:
        """The number of the first feature that is held here."""
        return rank() * self.features

    @torch.no_grad()
    def reset(self) -> None:
        """The rows that one process would have drawn for these features."""
        end, every = self.first + self.features, self.features * processes()
        for start in range(0, every, DRAWN):
            drawn = torch.randn(min(DRAWN, every - start), self.width)
            low, high = max(start, self.first), min(start + len(drawn), end)
            if low < high:
                self.W_dec[low - self.first : high - self.first] = drawn[low - start : high - start]
        self.W_dec.div_(self.W_dec.norm(dim=1, keepdim=True))
        self.W_enc.copy_(self.W_dec)

    def centre(self) -> Tensor:
        """Each process uses it for its own features: its gradient is the sum of what they find."""
        same_D = self.b_dec.view_as(self.b_dec)
        if same_D.requires_grad:
            same_D.register_hook(total)
        return same_D

    def over_all(self, part: Tensor) -> Tensor:
        """The sum over all processes."""
        return _Total.apply(part)

    def strongest(self, found: Picked, k: int) -> Pieces:
        """What is here of the k strongest of each row."""
        found_NK = F.pad(found.found_NK, (0, k - found.found_NK.shape[1]), value=-torch.inf)
        all_NPK = torch.cat(gathered(found_NK), dim=1)
        chosen = torch.zeros_like(all_NPK, dtype=torch.bool)
        chosen.scatter_(1, all_NPK.topk(k, sorted=False).indices, True)
        mine = chosen[:, rank() * k :][:, : found.found_NK.shape[1]]
        return kept(Pieces(*found, None), mine, len(found_NK))

    def strongest_of_batch(self, found: Pieces, rows: int, k: int) -> Pieces:
        """What is here of the rows * k strongest of all."""
        there = found.found_RK > 0
        mine_M = found.found_RK[there]
        all_PM = torch.cat(gathered(F.pad(mine_M, (0, rows * k - len(mine_M)))))
        chosen = torch.zeros_like(all_PM, dtype=torch.bool)
        chosen[all_PM.topk(rows * k, sorted=False).indices] = True
        keep = torch.zeros_like(there)
        keep[there] = chosen[rank() * rows * k :][: len(mine_M)]
        return kept(found, keep, rows)


class _Total(torch.autograd.Function):
    """A sum over processes that all go on to the same loss: each part's gradient is the sum's."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        del ctx
        return total(part)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        del ctx
        return grads[0]
