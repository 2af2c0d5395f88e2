"""Random codes for the feature index, as a stream and as the dense array that they stand for."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from sae_core.coders.sparse import Code
from sae_core.index.spec import IndexSpec
from sae_core.index.table import Harvested

GRID = (3, 4)
CELLS = 12
WIDTH = 6


class Case(NamedTuple):
    """Z [pictures, cells, features], and an embedding of each picture."""

    z_NPF: torch.Tensor
    embedding_NE: torch.Tensor

    def batch(self, numbers: list[int]) -> Harvested:
        """Some of the pictures, their codes padded with empty slots."""
        z_BPF = self.z_NPF[numbers]
        slots = max(1, int((z_BPF > 0).sum(-1).max()))
        values, indices = z_BPF.topk(slots, sorted=False)
        embedding = self.embedding_NE[numbers]
        return Harvested(torch.tensor(numbers), Code(values, indices), embedding, GRID)

    def source(self, size: int = 7, seed: int | None = None):
        """Batches of a size; with a seed their pictures come in any order."""

        def batches(span: range) -> Iterator[Harvested]:
            numbers = list(span)
            if seed is not None:
                np.random.default_rng(seed).shuffle(numbers)
            for at in range(0, len(numbers), size):
                yield self.batch(numbers[at : at + size])

        return batches

    def totals(self) -> np.ndarray:
        """Sums over the cells, exact [features, pictures]."""
        return self.z_NPF.double().sum(1).T.numpy()

    def peaks(self) -> np.ndarray:
        """Largest cells [features, pictures]."""
        return self.z_NPF.amax(1).T.numpy()


def case(pictures: int = 40, features: int = 9, seed: int = 0, share: float = 0.1) -> Case:
    """Few distinct values, so that many sums and maxima are equal; feature 0 never fires."""
    rng = torch.Generator().manual_seed(seed)
    shape = (pictures, CELLS, features)
    fires = torch.rand(shape, generator=rng) < share * torch.linspace(0, 2, features)
    z_NPF = torch.randint(1, 4, shape, generator=rng) / 4 * fires
    return Case(z_NPF, torch.randn(pictures, WIDTH, generator=rng))


def spec(given: Case, **changes: object) -> IndexSpec:
    """The spec of an index over a case that keeps little."""
    fields = {
        "coder": "c0de", "features": given.z_NPF.shape[2], "model": "toy", "hook": "layers.2",
        "pictures": "5e7", "size": len(given.z_NPF), "grid": GRID,
        "top": 5, "sample": 4, "pool": 12, "related": 3,
    }  # fmt: skip
    return IndexSpec.model_validate(fields | changes)
