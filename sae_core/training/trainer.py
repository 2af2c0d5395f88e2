"""Trains a sparse coder: steps, learning rate, dead features, checkpoints, several processes.

Knows batches of activations; nothing of where they come from, nor of how processes share the work.
A checkpoint keeps the batches' state too, so a run that was killed goes on exactly as if it had not
been; with another number of processes, or shared in another way, as one that had begun so.

Shapes: N rows, F features, D width.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from sae_core.coders.coder import CoderConfig, SparseCoder, check_finite
from sae_core.coders.selection import rows_at_once
from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.processes import mean, of_the_first, processes, rank
from sae_core.training.checkpoint import Checkpoint, state_in
from sae_core.training.lock import held
from sae_core.training.losses import Loss, geometric_median, loss_of, usual_rate
from sae_core.training.sharding import ByRows, Sharding

SMOOTHING = 0.95


class TrainConfig(BaseModel):
    """How a coder is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(gt=0)
    """Optimiser steps."""
    batch: int = Field(default=1024, gt=0)
    """Rows of one step, of all processes and accumulated parts together."""
    rate: float | None = Field(default=None, gt=0)
    """The highest learning rate; by default 2e-4 at 16,384 features, less for more."""
    warmup: int = Field(default=100, ge=0)
    """Steps of linear warm-up."""
    decay: float = Field(default=0.2, ge=0, le=1)
    """The last share of the steps, in which the rate falls linearly to zero."""
    clip: float = Field(default=1.0, gt=0)
    """The largest norm of the gradient."""
    accumulate: int = Field(default=1, gt=0)
    """In how many parts a batch is worked through, where it doesn't fit at once."""
    dead_after: int = Field(default=200_000, gt=0)
    """After so many rows without firing a feature counts as dead and is taught the residual."""
    seed: int = 0

    def rate_at(self, step: int, features: int) -> float:
        """The learning rate of a step."""
        highest = self.rate or usual_rate(features)
        rising = (step + 1) / self.warmup if step < self.warmup else 1.0
        falling = (self.steps - step) / max(1.0, self.decay * self.steps)
        return highest * min(rising, falling, 1.0)


State = dict[str, int | str]
"""Where batches are, and what that depends on."""


class Batches(Protocol):
    """Where activations come from. What it will give next is fixed by its state."""

    def take(self) -> Tensor:
        """The next step's rows of this process [N, D]."""
        ...

    def state(self) -> State:
        """Where it is, the same in every process."""
        ...

    def restore(self, state: State) -> None:
        """Go on from there."""
        ...


class Progress(NamedTuple):
    """Where training is; fvu and l0 are smoothed."""

    step: int
    steps: int
    fvu: float
    l0: float
    dead: float
    rows_per_second: float


class Trainer:
    """One coder in training. Every step leaves decoder rows at unit norm."""

    def __init__(
        self, coder_config: CoderConfig, config: TrainConfig, sharding: Sharding | None = None
    ) -> None:
        torch.manual_seed(config.seed)
        self.config, self.coder_config = config, coder_config
        self.sharding = sharding or ByRows()
        self.coder = self.sharding.coder(coder_config).train()
        """What this process holds of it."""
        trained = [p for p in self.coder.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=usual_rate(coder_config.features), fused=True)
        self.silent_F = torch.zeros(self.coder.features, dtype=torch.int64)
        """For how many rows each feature has not fired."""
        self.step = 0
        self.fvu = self.l0 = 0.0

    def to(self, device: torch.device) -> Trainer:
        """The same training on another device; before the first step."""
        self.coder.to(device)
        self.silent_F = self.silent_F.to(device)
        return self

    @torch.no_grad()
    def begin(self, x_ND: Tensor) -> None:
        """Centre on the first rows; give thresholds that let about k features fire."""
        x_ND, coder = self.sharding.rows(x_ND), self.coder
        check_finite(x_ND, coder.config.hook or "the input")
        if coder.config.centred:
            plain, _ = coder.prepared(x_ND)
            coder.b_dec.copy_(self.sharding.mean(geometric_median(plain + coder.b_dec)))
        if coder.config.rule == "jumprelu" and coder.config.k:
            features = self.coder_config.features
            ready, _ = coder.prepared(x_ND[: rows_at_once(features)])
            pre = torch.addmm(coder.b_enc, ready, coder.W_enc.T)
            count = min(len(ready) * coder.config.k + 1, len(ready) * features)
            level = self.sharding.level(pre, count)
            coder.threshold.fill_(float(self.sharding.mean(level)))

    def train_step(self, x_ND: Tensor) -> Loss:
        """One optimiser step on this process's rows."""
        config, coder, seen = self.config, self.coder, len(x_ND) * processes()
        x_ND = self.sharding.rows(x_ND)
        for group in self.optimiser.param_groups:
            group["lr"] = config.rate_at(self.step, self.coder_config.features)
        self.optimiser.zero_grad(set_to_none=True)
        dead_F = self.silent_F >= config.dead_after
        fired_F = torch.zeros_like(dead_F)
        parts = x_ND.chunk(config.accumulate)
        for part in parts:
            with torch.autocast(x_ND.device.type, torch.bfloat16, enabled=x_ND.is_cuda):
                loss = loss_of(coder, part, dead_F)
            (loss.total * (len(part) / len(x_ND))).backward()
            _mark(loss.code, fired_F)
            self._measure_threshold(loss.code)
        self.sharding.agree(coder, fired_F)
        self._project()
        norm = self.sharding.norm(coder)
        torch.nn.utils.clip_grads_with_norm_(coder.parameters(), config.clip, norm)
        self.optimiser.step()
        with torch.no_grad():
            coder.W_dec.div_(coder.W_dec.norm(dim=1, keepdim=True).clamp(min=1e-12))
        self.silent_F = torch.where(fired_F, 0, self.silent_F + seen)
        self.step += 1
        self._smooth(loss)
        return loss

    def _smooth(self, loss: Loss) -> None:
        with torch.no_grad():
            now = float(loss.fvu), float(loss.l0)
        old = (self.fvu, self.l0) if self.step > 1 else now
        self.fvu, self.l0 = (
            SMOOTHING * before + (1 - SMOOTHING) * here
            for before, here in zip(old, now, strict=True)
        )

    @torch.no_grad()
    def _measure_threshold(self, code: Code) -> None:
        """A batchtopk coder fires outside of training by the usual least value that fired."""
        if self.coder.config.rule != "batchtopk":
            return
        old, here = self.coder.threshold, self.sharding.least(code.values_NK[code.fired()])
        # Every process takes part in the mean, also one in which nothing fired.
        least = self.sharding.mean(torch.where(here.isinf(), old.min(), here))
        old.copy_(least.expand_as(old) if self.step == 0 else 0.99 * old + 0.01 * least)

    @torch.no_grad()
    def _project(self) -> None:
        """Take off the part of the gradient that would only lengthen decoder rows."""
        rows, grad = self.coder.W_dec, self.coder.W_dec.grad
        if grad is not None:
            along_F = torch.bmm(grad[:, None], rows.detach()[:, :, None])[:, 0]
            grad.addcmul_(along_F, rows.detach(), value=-1)

    def dead_share(self) -> float:
        """The share of features that count as dead."""
        dead = self.coder.over_all((self.silent_F >= self.config.dead_after).sum())
        return float(dead) / self.coder_config.features

    def bytes_held(self) -> int:
        """What weights, their gradients and both of Adam's moments take here."""
        return 4 * sum(
            p.numel() * p.element_size() for p in self.coder.parameters() if p.requires_grad
        )

    def state(self) -> Checkpoint:
        """All that a resumed training needs."""
        return {
            "coder": self.coder.state_dict(),
            "coder_config": self.coder_config.model_dump(mode="json"),
            "config": self.config.model_dump(mode="json"),
            "optimiser": self.optimiser.state_dict(),
            "silent": self.silent_F,
            "step": self.step,
            "fvu": self.fvu,
            "l0": self.l0,
        }

    def restore(self, path: Path) -> State:
        """Go on from a checkpoint of the same training; returns the state of its batches."""
        state = state_in(path, self.coder.first, self.coder.features)
        mine = {"coder_config": self.coder_config, "config": self.config}
        for key, settings in mine.items():
            here = settings.model_dump(mode="json")
            other = {n for n, v in here.items() if state[key].get(n) != v}
            if other:
                name = min(other)
                raise UserError(
                    f"{path} is of another training: {name}={state[key].get(name)} there, "
                    f"{here[name]} here. Delete it, or give the same settings."
                )
        self.coder.load_state_dict(state["coder"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.silent_F = state["silent"].to(self.silent_F.device)
        self.step, self.fvu, self.l0 = int(state["step"]), float(state["fvu"]), float(state["l0"])
        return state["batches"]

    def run(
        self,
        batches: Batches,
        checkpoint: Path | None = None,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        every: float = 60.0,
    ) -> SparseCoder:
        """Train to the end, from the checkpoint where there is one; saved every so many seconds."""
        alone = held(checkpoint) if checkpoint is not None and rank() == 0 else nullcontext()
        with alone:
            return self._run(batches, checkpoint, report, every)

    def _run(
        self,
        batches: Batches,
        checkpoint: Path | None,
        report: Callable[[Progress], None],
        every: float,
    ) -> SparseCoder:
        if checkpoint is not None and _is_there(checkpoint):
            batches.restore(self.restore(checkpoint))
        began = time.monotonic()
        due = began + every
        rows = 0
        while self.step < self.config.steps:
            x_ND = batches.take().to(self.silent_F.device)
            if self.step == 0:
                self.begin(x_ND)
            self.train_step(x_ND)
            rows += len(x_ND) * processes()
            now = time.monotonic()
            if not math.isfinite(self.fvu):
                raise UserError(
                    f"Training diverged at step {self.step} (FVU {self.fvu}). "
                    "Try a lower --rate, or look at the activations with lmmscope sae eval"
                )
            report(self._progress(rows / max(now - began, 1e-9)))
            last = self.step == self.config.steps
            if checkpoint is not None and (of_the_first(now > due) or last):
                self.save(checkpoint, batches.state())
                # A large coder takes long to save: that may cost a twentieth of the time at most.
                due = time.monotonic() + max(every, 20 * (time.monotonic() - now))
        return self.coder.eval()

    def _progress(self, pace: float) -> Progress:
        config = self.config
        return Progress(self.step, config.steps, self.fvu, self.l0, self.dead_share(), pace)

    def save(self, path: Path, batches: State) -> None:
        """Write a checkpoint."""
        self.sharding.save(path, self.state() | {"batches": batches})


def _is_there(checkpoint: Path) -> bool:
    """Whether there is something to go on from: all processes have to find the same."""
    found = checkpoint.exists()
    seen = round(float(mean(torch.tensor(float(found)))) * processes())
    if 0 < seen < processes():
        raise UserError(
            f"{checkpoint} is there for {seen} of {processes()} processes. "
            "Put --out into a folder that all machines share"
        )
    return found


@torch.no_grad()
def _mark(code: Code, fired_F: Tensor) -> None:
    fired_F[code.indices_NK[code.fired()]] = True
