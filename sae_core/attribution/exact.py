"""Switches features off for real, and says how well linear attribution foretold what happens.

Knows steering and attribution; nothing of pictures. Each feature is a row of a batch, beside a row
in which nothing is switched off.

Shapes: B rows, F features asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.attribution.linear import Attribution, Part, Question
from sae_core.errors import UserError
from sae_core.steering.hook import steering
from sae_core.steering.logits import repeated
from sae_core.steering.plan import Intervention, Row, Scope


class Agreement(NamedTuple):
    """Linear and exact effects of the same features, and how alike their order is."""

    features: tuple[int, ...]
    linear: tuple[float, ...]
    exact: tuple[float, ...]
    spearman: float


@torch.no_grad()
def ablated(
    question: Question, features: Sequence[int], *, where: Scope = "all", batch: int = 16
) -> Tensor:
    """How much d falls when each feature alone is switched off [F]."""
    adapter, coder, hook, inputs = question[:4]
    effects = [torch.zeros(0)]
    for at in range(0, len(features), batch):
        rows = [Row()] + [
            Row((Intervention(feature=feature, kind="ablate", where=where),))
            for feature in features[at : at + batch]
        ]
        many = repeated(inputs, len(rows))
        with steering(adapter, coder, hook, many.layouts, rows):
            d_B = question.differences(many)
        effects.append((d_B[0] - d_B[1:]).cpu())
    return torch.cat(effects)


def agreement(
    question: Question,
    attribution: Attribution,
    *,
    count: int = 32,
    part: Part = "all",
    batch: int = 16,
) -> Agreement:
    """Check the features with the largest scores, for or against, by switching each off."""
    totals_F = attribution.totals(part)
    best = totals_F.abs().topk(min(count, len(totals_F)))
    features = best.indices[best.values > 0].tolist()
    linear = totals_F[features].cpu()
    exact = ablated(question, features, where=part, batch=batch)
    return Agreement(
        tuple(features), tuple(linear.tolist()), tuple(exact.tolist()), spearman(linear, exact)
    )


def spearman(one: Tensor, other: Tensor) -> float:
    """The correlation of ranks; equal numbers share their mean rank."""
    ranks = [_ranks(values.double()) for values in (one, other)]
    ranks = [values - values.mean() for values in ranks]
    lengths = ranks[0].norm() * ranks[1].norm()
    if len(one) < 2 or float(lengths) == 0:
        raise UserError(
            f"No rank correlation of {len(one)} effects: at least two different ones are needed. "
            "Ask about more features"
        )
    return float((ranks[0] @ ranks[1]) / lengths)


def _ranks(values: Tensor) -> Tensor:
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2)[place]
