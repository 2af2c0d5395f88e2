"""The tasks TrainSae and LoadSae.

Knows how requests become the tools' arguments; training and loading are the tools'.
"""

from __future__ import annotations

from typing import Any

from agent.desk import Desk
from agent.done import Done
from agent.findings import digest
from agent.plan import LoadSae, TrainSae
from tools.load_sae import LoadSaeResult
from tools.train_sae import TrainSaeResult

TOKENS = 1_000_000
"""Trained for where a request does not say how long."""


async def train_sae(desk: Desk, task: TrainSae, approved: float) -> Done:
    """Train one under a name that its settings make, so that a stopped training goes on."""
    settings: dict[str, Any] = {
        "hook": task.hook or desk.provenance.hook,
        "tokens": task.tokens or TOKENS,
        **({} if task.features is None else {"features": task.features}),
        **({} if task.k is None else {"k": task.k}),
    }
    name = f"sae-{digest(settings)[:8]}"
    made: TrainSaeResult = await desk.use(
        "train_sae",
        f"training on {settings['tokens']:,} tokens of {settings['hook']}",
        name=name,
        approved_cost=approved,
        **settings,
    )
    return Done(
        text=(
            f"Trained `{made.source}` in {made.steps:,} steps: FVU {made.fvu:.3f}, "
            f"{made.l0:.0f} features at a position, {made.dead:.1%} dead. "
            f"Ask about its features with `--sae {made.source}`."
        )
    )


async def load_sae(desk: Desk, task: LoadSae) -> Done:
    """Say what a coder is and whether it fits the target."""
    name = task.name or next(iter(desk.lab.saes), "sae")
    found: LoadSaeResult = await desk.use("load_sae", f"looking into {name}", source=name)
    config = found.config
    fits = "It fits the target." if found.fits else f"It does not fit the target: {found.misfit}"
    return Done(
        text=(
            f"`{name}` ({found.format}): {config.features:,} features of width {config.width}, "
            f"{config.rule}, k {config.k}, layer {config.hook or 'not told'}, "
            f"{found.size / 1e6:.1f} MB. {fits}"
        )
    )
