"""How good a coder is: what it explains, how sparsely, how much dies, what the model loses by it.

Knows coders and activations; for the loss recovered also a model. Sums are kept in float64, so
the order of batches makes no visible difference.

Shapes: B pictures, N rows, T positions, F features, D width, E width of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from pydantic import BaseModel
from torch import Tensor
from torch.nn import functional as F

from sae_core.coders.coder import SparseCoder, check_finite
from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Inputs
from sae_core.lmm.hooks import rewritten
from sae_core.lmm.layout import PAD
from sae_core.training.activations import Conversation

DENSITY_EDGES = tuple(-7 + 0.5 * i for i in range(15))
"""Edges of the density histogram, in powers of ten."""


class Evaluation(BaseModel):
    """What a coder does to activations it has not been trained on."""

    rows: int
    fvu: float
    """The share of all variance left unexplained."""
    explained_variance: float
    """The mean over dimensions of the variance explained in each."""
    l0: float
    dead: float
    """The share of features that fired in none of these rows."""
    densities: list[int]
    """How many features fire so often: bins of half a power of ten from 1e-7, dead ones apart."""


class Evaluator:
    """Gathers an Evaluation over batches."""

    def __init__(self, coder: SparseCoder) -> None:
        self.coder, wide = coder, torch.float64
        self.rows, self.fired = 0, 0
        self.sum_D = torch.zeros(coder.width, dtype=wide)
        self.squares_D = torch.zeros(coder.width, dtype=wide)
        self.errors_D = torch.zeros(coder.width, dtype=wide)
        self.counts_F = torch.zeros(coder.features, dtype=torch.int64)

    @torch.no_grad()
    def add(self, x_ND: Tensor) -> None:
        """Take in some rows."""
        check_finite(x_ND, self.coder.config.hook or "the input")
        ready_ND, norms = self.coder.prepared(x_ND)
        code, _, row_R = self.coder.fire(ready_ND)
        error_ND = (x_ND.to(ready_ND.dtype) - self.coder.decode(code, norms, row_R)).double()
        self.rows += len(x_ND)
        self.sum_D += x_ND.double().sum(0).cpu()
        self.squares_D += x_ND.double().square().sum(0).cpu()
        self.errors_D += error_ND.square().sum(0).cpu()
        seen = code.indices_NK[code.fired()]
        self.fired += len(seen)
        self.counts_F += torch.bincount(seen, minlength=self.coder.features).cpu()

    def result(self) -> Evaluation:
        """The numbers."""
        if self.rows < 2:
            raise UserError(f"An evaluation needs at least 2 rows of activations, not {self.rows}.")
        variance_D = (self.squares_D - self.sum_D.square() / self.rows).clamp(min=1e-12)
        rates = self.counts_F[self.counts_F > 0].double() / self.rows
        edges = torch.tensor(DENSITY_EDGES, dtype=torch.float64)
        bins = torch.bucketize(rates.log10(), edges).clamp(1, len(edges) - 1) - 1
        return Evaluation(
            rows=self.rows,
            fvu=float(self.errors_D.sum() / variance_D.sum()),
            explained_variance=float((1 - self.errors_D / variance_D).mean()),
            l0=self.fired / self.rows,
            dead=float((self.counts_F == 0).double().mean()),
            densities=torch.bincount(bins, minlength=len(edges) - 1).tolist(),
        )


def evaluate(coder: SparseCoder, batches: Iterable[Tensor]) -> Evaluation:
    """The evaluation over all batches."""
    gathering = Evaluator(coder)
    for x_ND in batches:
        gathering.add(x_ND)
    return gathering.result()


class Recovery(BaseModel):
    """The loss on replies: of the model as it is, with reconstructions, with a layer of zeros."""

    tokens: int
    clean: float
    reconstructed: float
    zeroed: float

    @property
    def recovered(self) -> float:
        """1 when reconstructions cost nothing, 0 when they are no better than zeros."""
        return (self.zeroed - self.reconstructed) / (self.zeroed - self.clean)


@torch.no_grad()
def reply_loss(adapter: Adapter, inputs: Inputs) -> Tensor:
    """The cross-entropy of each reply token."""
    logits_BTV = adapter.model(**inputs.tensors, use_cache=False).logits
    losses = []
    for row, (ids_T, reply) in enumerate(
        zip(inputs.tensors["input_ids"], inputs.replies, strict=True)
    ):
        said_TV = logits_BTV[row, reply.start - 1 : reply.stop - 1].float()
        losses.append(F.cross_entropy(said_TV, ids_T[reply], reduction="none"))
    return torch.cat(losses)


def loss_recovered(
    adapter: Adapter,
    coder: SparseCoder,
    hook: str,
    conversations: Sequence[Conversation],
    *,
    at_once: int = 16,
) -> Recovery:
    """How much of the model's loss on replies survives when the coder stands in for a layer."""
    block = adapter.block(hook)
    totals, count = [0.0, 0.0, 0.0], 0
    for at in range(0, len(conversations), at_once):
        some = [c for c in conversations[at : at + at_once] if c.reply]
        if not some:
            continue
        inputs = adapter.prepare([c.prompt for c in some], replies=[c.reply for c in some])
        kept_BT1 = torch.stack([layout.kind_T for layout in inputs.layouts])[..., None] != PAD
        changes: list[Callable[[Tensor], Tensor]] = [
            lambda x_BTD: x_BTD,
            lambda x_BTD, kept=kept_BT1: torch.where(
                kept.to(x_BTD.device), coder(x_BTD).to(x_BTD.dtype), x_BTD
            ),
            torch.zeros_like,
        ]
        for i, change in enumerate(changes):
            with rewritten(block, change):
                losses = reply_loss(adapter, inputs)
            totals[i] += float(losses.double().sum())
        count += len(losses)
    if count == 0:
        raise UserError("No conversation has a reply: the loss recovered can't be measured.")
    clean, reconstructed, zeroed = (total / count for total in totals)
    return Recovery(tokens=count, clean=clean, reconstructed=reconstructed, zeroed=zeroed)


class Monosemanticity:
    """For every feature, how alike the pictures are on which it fires, weighted by how strongly.

    The mean cosine of the embeddings of two different pictures, each pair weighted by the product
    of their activations, for all features in one pass.
    """

    def __init__(self, features: int, embedding: int) -> None:
        wide = torch.float64
        self.pull_FE = torch.zeros(features, embedding, dtype=wide)
        self.sum_F = torch.zeros(features, dtype=wide)
        self.squares_F = torch.zeros(features, dtype=wide)

    def add(self, features_N: Tensor, activations_N: Tensor, embeddings_NE: Tensor) -> None:
        """Take in pairs of a feature and a picture: how strongly, and the picture's embedding."""
        active_N = activations_N.double()
        unit_NE = F.normalize(embeddings_NE.double(), dim=-1)
        self.pull_FE.index_add_(0, features_N, active_N[:, None] * unit_NE)
        self.sum_F.index_add_(0, features_N, active_N)
        self.squares_F.index_add_(0, features_N, active_N.square())

    def scores(self) -> Tensor:
        """A score for each feature; NaN for one that fired on fewer than two pictures [F]."""
        pairs_F = self.sum_F.square() - self.squares_F
        alike_F = self.pull_FE.square().sum(1) - self.squares_F
        lone = pairs_F <= 1e-9 * self.squares_F
        return torch.where(lone, torch.nan, alike_F / pairs_F)
