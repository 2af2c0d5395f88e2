"""Several processes that compute together, as torchrun starts them: who, and sums over all of them.

Knows torch's process group; nothing of what is summed. One process alone gets back what it gives.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch import distributed as dist


def processes() -> int:
    """How many processes work together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is."""
    return dist.get_rank() if processes() > 1 else 0


def total(part: Tensor) -> Tensor:
    """The sum over all processes."""
    return _reduced(part, dist.ReduceOp.SUM) if processes() > 1 else part


def mean(part: Tensor) -> Tensor:
    """The mean over all processes."""
    return total(part) / processes() if processes() > 1 else part


def least(part: Tensor) -> Tensor:
    """The least of all processes."""
    return _reduced(part, dist.ReduceOp.MIN) if processes() > 1 else part


def gathered(part: Tensor) -> list[Tensor]:
    """Every process's tensor, in their order; all have the same shape."""
    if processes() == 1:
        return [part]
    parts = [torch.empty_like(part) for _ in range(processes())]
    dist.all_gather(parts, part.contiguous())
    return parts


def of_the_first(flag: bool) -> bool:
    """What the first process says: for decisions that all have to take alike."""
    if processes() == 1:
        return flag
    said = torch.tensor(int(flag))
    dist.broadcast(said, 0)
    return bool(said)


def waited() -> None:
    """Go on when all have come here."""
    if processes() > 1:
        dist.barrier()


def _reduced(part: Tensor, how: dist.ReduceOp.RedOpType) -> Tensor:
    whole = part.clone()
    dist.all_reduce(whole, op=how)
    return whole
