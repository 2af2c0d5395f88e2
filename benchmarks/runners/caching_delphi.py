"""One run of delphi's LatentCache and its loader; then pictures are chosen as is published.

The model is a stand-in that passes on which pictures are meant: their codes are given.
"""

from collections.abc import Iterator

import torch
from codes import Best, Caching, best_of
from delphi.latents import LatentCache
from delphi.latents.loader import TensorBuffer
from torch import Tensor, nn

SPLITS = 5


class Passing(nn.Module):
    """A model with one layer that gives back what it gets."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, number_BP: Tensor) -> Tensor:
        """The numbers of pictures, once for each cell."""
        return self.layer(number_BP)


task = Caching()
batches = task.batches()


def encode(_number_BP: Tensor) -> Tensor:
    """The next batch's codes, dense: a cache asks for batches in their order."""
    return next(batches).dense(task["features"])


def chosen() -> Iterator[Best]:
    """Every feature's pictures."""
    shape = (task["pictures"], task["cells"])
    for path in sorted(task.folder.glob("layer/*.safetensors")):
        for record in TensorBuffer(str(path), "layer"):
            own = record.activation_data
            yield best_of(record.latent.latent_index, own.locations[:, :2], own.activations, shape)


number_NP = torch.arange(task["pictures"])[:, None].expand(-1, task["cells"])
cache = LatentCache(Passing(), {"layer": encode}, batch_size=task["batch"])
cache.run(number_NP.numel(), number_NP)
cache.save_splits(SPLITS, task.folder, save_tokens=False)
task.cached()
task.finish(chosen())
