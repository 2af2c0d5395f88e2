"""Controls of a steering experiment: each differs from its original only in what is written.

- reconstruction: the coder's reconstruction where the interventions would act, which don't: what
  the coder's own error does.
- random_feature: another feature, drawn from those that fire about as often.
- random_direction: as much as the feature would have changed, written into a random direction of
  the same norm.
- wrong_sign: the same change, taken off instead of added.
Draws depend on the seed and the feature alone, so all strengths of a sweep meet the same control.

Shapes: F features of a coder, I interventions, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from sae_core.coders.coder import SparseCoder, check_feature
from sae_core.errors import UserError
from sae_core.steering.plan import Intervention, Row

Control = Literal["reconstruction", "random_feature", "random_direction", "wrong_sign"]
CONTROLS: tuple[Control, ...] = get_args(Control)
NEAREST = 16
"""How many features with the nearest firing rates a random one is drawn from."""


@torch.no_grad()
def control_row(
    control: Control,
    interventions: Sequence[Intervention],
    coder: SparseCoder,
    *,
    rates_F: np.ndarray | None = None,
    seed: int = 0,
) -> Row:
    """The row that controls for some interventions; random_feature needs all firing rates."""
    plan = tuple(interventions)
    features = [check_feature(coder, one.feature) for one in plan]
    if control == "reconstruction":
        return Row(plan, reconstructed=True)
    if control == "random_feature":
        others = random_features(features, check_rates(rates_F, coder), seed)
        return Row(tuple(one.model_copy(update={"feature": others[one.feature]}) for one in plan))
    own_ID = coder.directions(torch.tensor(features, dtype=torch.long))
    if control == "wrong_sign":
        return Row(plan, -own_ID)
    if control == "random_direction":
        return Row(plan, random_directions(features, own_ID, seed))
    raise UserError(f"No control {control!r}. Known: {', '.join(CONTROLS)}. Choose one of these")


def check_rates(rates_F: np.ndarray | None, coder: SparseCoder) -> np.ndarray:
    """The firing rates, if there is one for each feature."""
    given = None if rates_F is None else np.asarray(rates_F, dtype=np.float64)
    if given is None or given.shape != (coder.features,):
        had = "none are given" if given is None else f"{given.shape} are given"
        raise UserError(
            f"Firing rates of all {coder.features} features of this SAE are needed, {had}. "
            "Take them from its index"
        )
    return given


def random_features(features: Sequence[int], rates_F: np.ndarray, seed: int) -> dict[int, int]:
    """For each feature another one that fires about as often; no two share one."""
    taken, drawn = set(features), {}
    logs_F = np.log(np.maximum(rates_F, 1e-12))
    for feature in dict.fromkeys(features):
        rng = np.random.default_rng((seed, feature, 0))
        # Shuffled first, so that which of many equals are nearest is chance too.
        order = rng.permutation(len(rates_F))
        order = order[np.argsort(np.abs(logs_F[order] - logs_F[feature]), kind="stable")]
        near = [int(other) for other in order[: NEAREST + len(taken)] if int(other) not in taken]
        if not near:
            raise UserError(
                f"No feature is left to stand in for {feature}: the SAE has {len(rates_F)}, and "
                f"{len(taken)} are in use. Steer fewer features"
            )
        drawn[feature] = near[int(rng.integers(min(NEAREST, len(near))))]
        taken.add(drawn[feature])
    return drawn


def random_directions(features: Sequence[int], own_ID: Tensor, seed: int) -> Tensor:
    """For each feature a random direction with the norm of its own [I, D]."""
    rows = [
        np.random.default_rng((seed, feature, 1)).standard_normal(own_ID.shape[1])
        for feature in features
    ]
    random_ID = torch.from_numpy(np.stack(rows)).to(own_ID)
    return random_ID * (own_ID.norm(dim=1) / random_ID.norm(dim=1))[:, None]
