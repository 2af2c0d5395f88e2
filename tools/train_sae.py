"""The tool train_sae: train a sparse coder on the target's activations, within a budget.

Knows what is asked for and what is told; training is sae_core's. A training that was stopped goes
on when it is asked for again. How far it is, the lab's `report` hears after each step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from sae_core.coders.coder import CoderConfig, coder_config
from sae_core.formats.store import save_coder, stored_in
from sae_core.index.observer import coder_digest
from sae_core.training.activations import Positions, TokenStream
from sae_core.training.trainer import TrainConfig, Trainer
from tools.coder_folders import Name, trained_folder
from tools.failures import WontWork
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.training_cost import check_approved, training_cost

CHECKPOINT = "training.pt"


class TrainSaeArguments(Arguments):
    """What to train, and for how long."""

    name: Name
    """What load_sae will know it by."""
    hook: str
    """The layer, for example layers.3."""
    steps: int | None = Field(default=None, gt=0)
    """The budget in optimiser steps."""
    tokens: int | None = Field(default=None, gt=0)
    """The budget in positions of the target, instead."""
    features: int = Field(default=2048, gt=0)
    """How many features."""
    k: int = Field(default=32, gt=0)
    """How many fire at a position."""
    rule: Literal["topk", "batchtopk", "jumprelu"] = "topk"
    """Which ones fire."""
    groups: tuple[int, ...] = ()
    """Matryoshka: sizes of nested dictionaries; the last is all features."""
    batch: int = Field(default=1024, gt=0)
    """Positions of one step."""
    block: int = Field(default=512, gt=0)
    """Conversations whose positions are shuffled together."""
    positions: Positions = "all"
    """Which positions: all, of the picture, of its base grid, or of the text."""
    rate: float | None = Field(default=None, gt=0)
    """The learning rate; by size if left out."""
    seed: int = Field(default=0, ge=0)
    """Of weights and order."""
    approved_cost: float = Field(default=0.0, ge=0)
    """TFLOP that somebody agreed to spend."""

    @model_validator(mode="after")
    def _has_one_budget(self) -> Self:
        if (self.steps is None) == (self.tokens is None):
            raise ValueError("give a budget in either steps or tokens")
        return self

    @property
    def plan(self) -> TrainConfig:
        """The optimiser's side of it."""
        steps = self.steps or -(-(self.tokens or 0) // self.batch)
        return TrainConfig(steps=steps, batch=self.batch, rate=self.rate, seed=self.seed)


class TrainSaeResult(Result):
    """The coder, and how well it explains what it was trained on."""

    source: str
    """What load_sae knows it by."""
    digest: str
    steps: int
    fvu: float
    """The share of the variance left unexplained, smoothed over the last steps."""
    l0: float
    """How many features fire at a position."""
    dead: float
    """The share of features that no longer fire."""
    cost: float
    """TFLOP, as it was estimated."""


class _Task(NamedTuple):
    folder: Path
    config: CoderConfig
    plan: TrainConfig
    cost: float


@tool(
    "Train a sparse autoencoder on the target's activations; goes on where it was stopped", "long"
)
def train_sae(lab: Lab, args: TrainSaeArguments) -> TrainSaeResult:
    """Refused with the cost where that is more than may be spent unasked."""
    task = _task(lab, args)
    check_approved(args.name, task.cost, args.approved_cost)
    stream = TokenStream(
        lab.target,
        lab.lessons,
        args.hook,
        args.batch,
        block=args.block,
        positions=args.positions,
        seed=args.seed,
    )
    trainer = Trainer(task.config, task.plan).to(lab.target.model.device)
    coder = trainer.run(stream, task.folder / CHECKPOINT, report=lab.report).cpu()
    save_coder(coder, task.folder, replace=True)
    return TrainSaeResult(
        source=args.name,
        digest=coder_digest(coder),
        steps=trainer.step,
        fvu=trainer.fvu,
        l0=trainer.l0,
        dead=trainer.dead_share(),
        cost=task.cost,
    )


def _task(lab: Lab, args: TrainSaeArguments) -> _Task:
    folder, plan = trained_folder(lab, args.name), args.plan
    if args.name in lab.saes or (not (folder / CHECKPOINT).exists() and stored_in(folder)):
        raise WontWork(f"There is a coder {args.name!r} already. Choose another name")
    lab.target.block(args.hook)
    config = coder_config(
        width=lab.target.width(),
        features=args.features,
        k=args.k,
        rule=args.rule,
        groups=args.groups,
        hook=args.hook,
    )
    rows = plan.steps * plan.batch
    cost = training_cost(lab.target, config, lab.lessons, rows, args.positions)
    return _Task(folder, config, plan, cost)
