"""Trains a sparse coder: steps, learning rate, dead features, checkpoints, several processes.

Knows batches of activations; nothing of where they come from. A checkpoint keeps their state too,
so a run that was killed goes on exactly as if it had not been.

Shapes: N rows, F features, D width.
"""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch import distributed as dist

from sae_core.coders.coder import CoderConfig, SparseCoder, check_finite
from sae_core.coders.selection import rows_at_once
from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.training.lock import held
from sae_core.training.losses import Loss, geometric_median, loss_of, usual_rate

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

    def __init__(self, coder_config: CoderConfig, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.coder = SparseCoder(coder_config).train()
        trained = [p for p in self.coder.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(trained, lr=usual_rate(coder_config.features), fused=True)
        self.silent_F = torch.zeros(coder_config.features, dtype=torch.int64)
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
        check_finite(x_ND, self.coder.config.hook or "the input")
        coder = self.coder
        if coder.config.centred:
            plain, _ = coder.prepared(x_ND)
            coder.b_dec.copy_(_shared(geometric_median(plain + coder.b_dec)))
        if coder.config.rule == "jumprelu" and coder.config.k:
            ready, _ = coder.prepared(x_ND[: rows_at_once(coder.features)])
            pre = torch.addmm(coder.b_enc, ready, coder.W_enc.T)
            rank = max(1, pre.numel() - len(pre) * coder.config.k)
            coder.threshold.fill_(float(_shared(pre.reshape(-1).kthvalue(rank).values)))

    def train_step(self, x_ND: Tensor) -> Loss:
        """One optimiser step on this process's rows."""
        config, coder = self.config, self.coder
        for group in self.optimiser.param_groups:
            group["lr"] = config.rate_at(self.step, coder.features)
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
        self._share(fired_F)
        self._project()
        torch.nn.utils.clip_grad_norm_(coder.parameters(), config.clip)
        self.optimiser.step()
        with torch.no_grad():
            coder.W_dec.div_(coder.W_dec.norm(dim=1, keepdim=True).clamp(min=1e-12))
        self.silent_F = torch.where(fired_F, 0, self.silent_F + len(x_ND) * processes())
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
        old, fired = self.coder.threshold, code.fired()
        # Every process takes part in the mean, also one in which nothing fired.
        least = _shared(code.values_NK[fired].min() if bool(fired.any()) else old.min())
        old.copy_(least.expand_as(old) if self.step == 0 else 0.99 * old + 0.01 * least)

    @torch.no_grad()
    def _project(self) -> None:
        """Take off the part of the gradient that would only lengthen decoder rows."""
        rows, grad = self.coder.W_dec, self.coder.W_dec.grad
        if grad is not None:
            along_F = torch.bmm(grad[:, None], rows.detach()[:, :, None])[:, 0]
            grad.addcmul_(along_F, rows.detach(), value=-1)

    @torch.no_grad()
    def _share(self, fired_F: Tensor) -> None:
        """The mean gradient of all processes, and whatever fired in any of them."""
        if processes() == 1:
            return
        for parameter in self.coder.parameters():
            if parameter.requires_grad:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad)
                parameter.grad /= processes()
        seen = fired_F.int()
        dist.all_reduce(seen, op=dist.ReduceOp.MAX)
        fired_F.copy_(seen.bool())

    def dead_share(self) -> float:
        """The share of features that count as dead."""
        return float((self.silent_F >= self.config.dead_after).float().mean())

    def state(self) -> dict[str, Any]:
        """All that a resumed training needs."""
        return {
            "coder": self.coder.state_dict(),
            "coder_config": self.coder.config.model_dump(mode="json"),
            "config": self.config.model_dump(mode="json"),
            "optimiser": self.optimiser.state_dict(),
            "silent": self.silent_F,
            "step": self.step,
            "fvu": self.fvu,
            "l0": self.l0,
        }

    def restore(self, path: Path) -> State:
        """Go on from a checkpoint of the same training; returns the state of its batches."""
        state = read_checkpoint(path)
        mine = self.state()
        for key in ("coder_config", "config"):
            other = {n for n, v in mine[key].items() if state[key].get(n) != v}
            if other:
                name = min(other)
                raise UserError(
                    f"{path} is of another training: {name}={state[key].get(name)} there, "
                    f"{mine[key][name]} here. Delete it, or give the same settings."
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
        alone = held(checkpoint) if checkpoint is not None and _first() else nullcontext()
        with alone:
            return self._run(batches, checkpoint, report, every)

    def _run(
        self,
        batches: Batches,
        checkpoint: Path | None,
        report: Callable[[Progress], None],
        every: float,
    ) -> SparseCoder:
        if checkpoint is not None and checkpoint.exists():
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
            if checkpoint is not None and (now > due or self.step == self.config.steps):
                self.save(checkpoint, batches.state())
                # A large coder takes long to save: that may cost a twentieth of the time at most.
                due = time.monotonic() + max(every, 20 * (time.monotonic() - now))
        return self.coder.eval()

    def _progress(self, pace: float) -> Progress:
        config = self.config
        return Progress(self.step, config.steps, self.fvu, self.l0, self.dead_share(), pace)

    def save(self, path: Path, batches: State) -> None:
        """Write a checkpoint beside its place, then put it there; the first process does."""
        if not _first():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(self.state() | {"batches": batches}, partial)
        partial.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's content; only tensors and plain values are accepted."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise UserError(
            f"The checkpoint {path} can't be read ({error.__class__.__name__}): "
            "delete it to start again."
        ) from error


def processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _first() -> bool:
    """Whether this is the process that writes."""
    return processes() == 1 or dist.get_rank() == 0


def _shared(tensor: Tensor) -> Tensor:
    """The mean over all processes."""
    if processes() > 1:
        tensor = tensor.clone()
        dist.all_reduce(tensor)
        tensor /= processes()
    return tensor


@torch.no_grad()
def _mark(code: Code, fired_F: Tensor) -> None:
    fired_F[code.indices_NK[code.fired()]] = True
