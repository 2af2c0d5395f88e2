"""How several processes share a training: by rows, or by features.

By rows, each process holds the whole coder and works on its rows of a step; gradients are averaged.
By features, each holds some features and works on all rows: for dictionaries that fit on no device.
Alone, both are the same.

Shapes: N rows, M values, F features, D width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.coders.shard import Shard
from sae_core.processes import gathered, least, mean, processes, total
from sae_core.training.checkpoint import WHOLE, Checkpoint, write_parts, write_whole

Kind = Literal["data", "features"]


class Sharding(Protocol):
    """What processes that train together hold, and what they tell each other."""

    def coder(self, config: CoderConfig) -> SparseCoder:
        """What this process holds of a new coder."""
        ...

    def rows(self, own_ND: Tensor) -> Tensor:
        """The rows of a step that this process works on, from those that it has."""
        ...

    def mean(self, found: Tensor) -> Tensor:
        """The mean of what was found in all rows of a step."""
        ...

    def least(self, values_M: Tensor) -> Tensor:
        """The least of positive values of this process's rows; infinite where there is none."""
        ...

    def level(self, values: Tensor, count: int) -> Tensor:
        """The count-th largest of all values of this process's rows."""
        ...

    def agree(self, coder: SparseCoder, fired_F: Tensor) -> None:
        """Make gradients, and what fired, those of all rows."""
        ...

    def norm(self, coder: SparseCoder) -> Tensor:
        """The norm of the whole coder's gradient."""
        ...

    def save(self, path: Path, state: Checkpoint) -> None:
        """Write a checkpoint."""
        ...


class ByRows:
    """Each process has its rows, and the whole coder."""

    def coder(self, config: CoderConfig) -> SparseCoder:
        """All of it."""
        return SparseCoder(config)

    def rows(self, own_ND: Tensor) -> Tensor:
        """Its own."""
        return own_ND

    def mean(self, found: Tensor) -> Tensor:
        """Of all processes."""
        return mean(found)

    def least(self, values_M: Tensor) -> Tensor:
        """Of its own."""
        return _least(values_M)

    def level(self, values: Tensor, count: int) -> Tensor:
        """Of its own."""
        return _level(values.flatten(), count)

    def agree(self, coder: SparseCoder, fired_F: Tensor) -> None:
        """The mean gradient of all processes, and whatever fired in any of them."""
        if processes() == 1:
            return
        for parameter in coder.parameters():
            if parameter.requires_grad:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad)
                parameter.grad /= processes()
        fired_F.copy_(total(fired_F.int()) > 0)

    def norm(self, coder: SparseCoder) -> Tensor:
        """Every process has all of it."""
        return torch.nn.utils.get_total_norm(_gradients(coder).values())

    def save(self, path: Path, state: Checkpoint) -> None:
        """By the first process."""
        write_whole(path, state)


class ByFeatures:
    """Each process has all rows, and its features of the coder."""

    def coder(self, config: CoderConfig) -> SparseCoder:
        """Its features."""
        return Shard(config)

    def rows(self, own_ND: Tensor) -> Tensor:
        """Everybody's."""
        return torch.cat(gathered(own_ND))

    def mean(self, found: Tensor) -> Tensor:
        """Every process found the same."""
        return found

    def least(self, values_M: Tensor) -> Tensor:
        """Of all features."""
        return least(_least(values_M))

    def level(self, values: Tensor, count: int) -> Tensor:
        """Of all features."""
        here_M = values.flatten().topk(min(count, values.numel())).values
        padded_M = F.pad(here_M, (0, count - len(here_M)), value=-torch.inf)
        return _level(torch.cat(gathered(padded_M)), count)

    def agree(self, coder: SparseCoder, fired_F: Tensor) -> None:
        """Nothing to do: each process has seen all rows."""

    def norm(self, coder: SparseCoder) -> Tensor:
        """What all have in common counts once."""
        gradients = _gradients(coder)
        common = gradients.pop(WHOLE)
        squares = total(torch.nn.utils.get_total_norm(gradients.values()).square())
        return (squares + common.square().sum()).sqrt()

    def save(self, path: Path, state: Checkpoint) -> None:
        """Each its own part."""
        write_parts(path, state)


def sharding_of(kind: Kind) -> Sharding:
    """The sharding of that name."""
    return ByRows() if kind == "data" else ByFeatures()


def _gradients(coder: SparseCoder) -> dict[str, Tensor]:
    return {name: p.grad for name, p in coder.named_parameters() if p.grad is not None}


def _least(values_M: Tensor) -> Tensor:
    return values_M.min() if len(values_M) else values_M.new_tensor(torch.inf)


def _level(values_M: Tensor, count: int) -> Tensor:
    return values_M.kthvalue(len(values_M) - count + 1).values
