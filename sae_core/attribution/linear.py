"""Why a model says one word and not another: how much each feature at each token speaks for it.

    d = logit(answer) - logit(baseline),   score(t, j) = z(t, j) * dd/dz(t, j)

A score estimates how much d would fall if the feature were switched off there, so a positive one
speaks for the answer. All features and tokens take one forward and one backward pass; only what
fired has a score. Integrated gradients average the gradient on the way from the features switched
off to the features as they are; what the coder does not explain stays.

Knows gradients and codes; switching features off for real is exact's.

Shapes: B rows, T positions, S positions asked about, V vocabulary, K slots, F features, U features
that fired, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

from sae_core.attribution.map import painted
from sae_core.coders.coder import SparseCoder, check_feature, check_finite
from sae_core.coders.sparse import Code, row_products
from sae_core.errors import UserError
from sae_core.lmm.adapter import Adapter, Inputs
from sae_core.lmm.fit import check_fits
from sae_core.lmm.hooks import rewritten
from sae_core.lmm.layout import BASE, PAD, TEXT, TILE, Layout
from sae_core.steering.controls import check_rates
from sae_core.steering.hook import norms_of
from sae_core.steering.logits import first_token, logits_at
from sae_core.steering.plan import IMAGE

Part = Literal["all", "image", "text"]
KINDS: dict[Part, tuple[int, ...]] = {"all": (TEXT, *IMAGE), "image": IMAGE, "text": (TEXT,)}
COMMON = 0.1
"""From this firing rate on, a feature counts as very common."""


class Question(NamedTuple):
    """Why this token and not that one, of one prompt; make it with ask()."""

    adapter: Adapter
    coder: SparseCoder
    hook: str
    inputs: Inputs
    answer: int
    baseline: int
    position: int = -1
    """Whose prediction is asked about."""

    def differences(self, inputs: Inputs) -> Tensor:
        """The difference d of each row of a batch of this prompt."""
        logits_BSV = logits_at(self.adapter, inputs.tensors, torch.tensor([self.position]))
        logits_BV = logits_BSV[:, 0].float()
        return logits_BV[:, self.answer] - logits_BV[:, self.baseline]


class Cause(NamedTuple):
    """A feature and its scores, summed over tokens."""

    feature: int
    score: float
    """Over the part that was asked for."""
    image: float
    text: float


class Attribution(NamedTuple):
    """The scores of all features at all tokens of one prompt."""

    difference: float
    """The difference d that the scores explain."""
    code: Code
    scores_TK: Tensor
    """One for each slot of the code."""
    layout: Layout
    coder: SparseCoder

    def totals(self, part: Part = "all") -> Tensor:
        """Every feature's score, summed over the tokens of a part [F]."""
        if part not in KINDS:
            raise UserError(f"No part {part!r}. Known: {', '.join(get_args(Part))}. Choose one")
        at = self.layout.where(*KINDS[part]).to(self.scores_TK.device)
        empty_F = self.scores_TK.new_zeros(self.coder.features)
        indices, scores = self.code.indices_NK[at].flatten(), self.scores_TK[at].flatten()
        return empty_F.index_add(0, indices, scores)

    def top(
        self,
        count: int,
        part: Part = "all",
        *,
        against: bool = False,
        rates_F: np.ndarray | None = None,
        common: float = COMMON,
    ) -> tuple[Cause, ...]:
        """The features that speak most for the answer, or against it.

        With firing rates given, those that fire as often as `common` or more are skipped.
        """
        sums_F, image_F, text_F = (self.totals(each) for each in (part, "image", "text"))
        ranked_F = -sums_F if against else sums_F.clone()
        if rates_F is not None:
            rare_F = torch.from_numpy(check_rates(rates_F, self.coder)) < common
            ranked_F[~rare_F.to(ranked_F.device)] = 0
        best = ranked_F.topk(min(count, len(ranked_F)))
        return tuple(
            Cause(f, float(sums_F[f]), float(image_F[f]), float(text_F[f]))
            for f in best.indices[best.values > 0].tolist()
        )

    def along(self, feature: int) -> Tensor:
        """One feature's score at each position [T]."""
        check_feature(self.coder, feature)
        return (self.scores_TK * (self.code.indices_NK == feature)).sum(1)

    def heat(
        self,
        feature: int,
        size: tuple[int, int],
        *,
        picture: int = 0,
        kinds: tuple[int, ...] = (BASE, TILE),
    ) -> Tensor:
        """One feature's score on the pixels of a picture of this width and height [H, W].

        The map sums to the feature's score over the picture's positions of these kinds.
        """
        self.layout.base(picture)  # refuses a picture that is not there
        at = self.layout.where(*kinds)
        at = at[self.layout.picture_T[at] == picture]
        return painted(self.along(feature).cpu()[at], self.layout.box_T4[at], size)


def ask(
    adapter: Adapter,
    coder: SparseCoder,
    hook: str,
    inputs: Inputs,
    answer: str,
    baseline: str,
    *,
    position: int = -1,
) -> Question:
    """The question why a reply goes on with one word and not another, if all fits together."""
    check_fits(adapter, coder, hook)
    length = len(inputs.layouts[0].kind_T)
    if len(inputs.layouts) != 1 or not -length <= position < length:
        raise UserError(
            f"Attribution explains one position of one prompt, not position {position} of "
            f"{len(inputs.layouts)} of length {length}. Prepare one, and take -1 for the last"
        )
    tokens = [first_token(adapter, word) for word in (answer, baseline)]
    if tokens[0] == tokens[1]:
        raise UserError(
            f"The answer {answer!r} and the baseline {baseline!r} begin with the same token, "
            f"{tokens[0]}: nothing tells them apart. Choose another baseline"
        )
    return Question(adapter, coder, hook, inputs, *tokens, position)


def attribute(question: Question, *, steps: int = 0) -> Attribution:
    """Scores by the gradient where the model is; with steps, averaged over as many on the way."""
    coder, here = question.coder, _graded(question)
    with torch.no_grad():
        code = coder.encode(here.x_TD)
    grad_TD = here.grad_TD
    if steps > 0:
        grad_TD = _on_the_way(question, _explained(coder, here.x_TD, code), steps)
    scores_TK = _scores(coder, here.x_TD, grad_TD, code)
    layout = question.inputs.layouts[0]
    return Attribution(here.difference, code, scores_TK, layout, coder)


class _Graded(NamedTuple):
    x_TD: Tensor
    grad_TD: Tensor
    difference: float


def _graded(question: Question, change: Callable[[Tensor], Tensor] | None = None) -> _Graded:
    """The activations at the hook, and the gradient of d there; what runs before keeps no graph."""
    adapter, inputs, hook = question.adapter, question.inputs, question.hook
    seen: list[Tensor] = []

    def start(x_BTD: Tensor) -> Tensor:
        x_BTD = x_BTD if change is None else change(x_BTD)
        seen.append(x_BTD.detach().requires_grad_())
        torch.set_grad_enabled(True)  # until the end of no_grad below
        return seen[0]

    with torch.no_grad(), rewritten(adapter.block(hook), start):
        (difference,) = question.differences(inputs)
    (grad_BTD,) = torch.autograd.grad(difference, seen)
    kept_T = (inputs.layouts[0].kind_T != PAD).to(grad_BTD.device)
    check_finite(seen[0][0, kept_T], hook)
    check_finite(grad_BTD[0, kept_T], f"{hook} (gradient)")
    return _Graded(seen[0][0].detach(), grad_BTD[0], float(difference.detach()))


def _scores(coder: SparseCoder, x_TD: Tensor, grad_TD: Tensor, code: Code) -> Tensor:
    """Each slot's value times the gradient along its feature's direction [T, K]."""
    norms = norms_of(coder, x_TD)
    grad_TD = grad_TD if norms is None else grad_TD * norms.deviation_N1
    # Directions of what fired only: a copy of all of them can be larger than the model's layer.
    fired_U, place_TK = code.indices_NK.unique(return_inverse=True)
    with torch.no_grad():
        table_UD = coder.directions(fired_U)
        products_TK = row_products(grad_TD.to(table_UD.dtype).contiguous(), place_TK, table_UD)
        return code.values_NK * products_TK


@torch.no_grad()
def _explained(coder: SparseCoder, x_TD: Tensor, code: Code) -> Tensor:
    """What all features together add to the activations [T, D]."""
    norms = norms_of(coder, x_TD)
    empty = Code(torch.zeros_like(code.values_NK), code.indices_NK)
    return (coder.decode(code, norms) - coder.decode(empty, norms)).to(x_TD.dtype)


def _on_the_way(question: Question, explained_TD: Tensor, steps: int) -> Tensor:
    """The mean gradient at the middles of even steps from all features off to all on [T, D]."""
    total_TD = torch.zeros_like(explained_TD)
    for step in range(steps):
        missing_TD = -(1 - (step + 0.5) / steps) * explained_TD
        total_TD += _graded(question, missing_TD.add).grad_TD
    return total_TD / steps
