"""One training loop for every toybox model: fused AdamW, warm-up, cosine, checkpoints, resume.

Knows modules and steps; nothing of what is learned. Batches are made from the step's number
alone, so a resumed run sees what an undisturbed one would have seen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from rich.console import Console
from torch import Tensor, nn

from sae_core.training.checkpoint import read_checkpoint

Losses = dict[str, Tensor]
B = TypeVar("B")
CACHE = Path(".cache/toybox")
"""Where drawn pictures, kept features and checkpoints lie; all of it can be made again."""
console = Console(stderr=True)


class Plan(NamedTuple):
    """How long and how fast to train."""

    name: str
    steps: int
    lr: float
    warmup: int = 100
    weight_decay: float = 0.01
    floor: float = 0.02
    """The last learning rate as a share of the highest."""

    def rate(self, step: int) -> float:
        """Learning rate at a step: linear warm-up, then a cosine down to the floor."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.lr * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done)))


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@cache
def halves() -> bool:
    """Whether products in bfloat16 pay: always on an accelerator, on a CPU where it proves faster.

    Some CPUs multiply bfloat16 three times as fast as float32, others two hundred times slower.
    """
    if device().type != "cpu":
        return True
    paces = []
    for kind in (torch.float32, torch.bfloat16):
        left, right = torch.ones(256, 128, dtype=kind), torch.ones(128, 256, dtype=kind)
        left @ right
        began = time.perf_counter()
        for _ in range(5):
            left @ right
        paces.append(time.perf_counter() - began)
    return paces[1] < paces[0]


def _optimiser(modules: nn.Module, plan: Plan) -> torch.optim.AdamW:
    trained = [p for p in modules.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": plan.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.lr, betas=(0.9, 0.98), fused=True)


def _save(path: Path, state: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _ahead(batch: Callable[[int], B], first: int, last: int) -> Iterator[tuple[int, B]]:
    """The steps with their batches, each made while the one before it is learned from."""
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = [maker.submit(batch, step) for step in range(first, min(first + 1, last))]
        for step in range(first, last):
            made = coming.pop().result()
            if step + 1 < last:
                coming.append(maker.submit(batch, step + 1))
            yield step, made


def _report(plan: Plan, done: int, pace: float, seen: dict[str, float]) -> None:
    losses = " ".join(f"{name} {value:.3f}" for name, value in seen.items())
    left = (plan.steps - done) / pace / 60
    bar = "━" * round(20 * done / plan.steps)
    console.print(
        f"{plan.name} {bar:<20} {done}/{plan.steps} {losses} · {pace:.2f} steps/s · "
        f"{left:.0f} min left",
        soft_wrap=True,
    )


def fit(
    modules: nn.Module,
    plan: Plan,
    batch: Callable[[int], B],
    loss: Callable[[B], Losses],
    folder: Path,
    every: float = 120.0,
) -> None:
    """Train to plan.steps, from the folder's checkpoint where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{plan.name}.pt"
    modules.to(device()).train()
    optimiser = _optimiser(modules, plan)
    first = 0
    if checkpoint.exists():
        state = read_checkpoint(checkpoint)
        modules.load_state_dict(state["modules"])
        optimiser.load_state_dict(state["optimiser"])
        first = int(state["step"])
        console.print(f"{plan.name}: going on at step {first} of {plan.steps}")
    saved = shown = began = time.monotonic()
    seen: dict[str, float] = {}
    for step, made in _ahead(batch, first, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = plan.rate(step)
        torch.manual_seed(step)
        with torch.autocast(device().type, torch.bfloat16, enabled=halves()):
            losses = loss(made)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(modules.parameters(), 1.0)
        optimiser.step()
        for name, value in losses.items():
            now_at = float(value.detach())
            seen[name] = 0.97 * seen.get(name, now_at) + 0.03 * now_at
        now = time.monotonic()
        if now - shown > 10 or step == plan.steps - 1:
            shown = now
            _report(plan, step + 1, (step - first + 1) / (now - began), seen)
        if now - saved > every or step == plan.steps - 1:
            saved = now
            state = {"modules": modules.state_dict(), "optimiser": optimiser.state_dict()}
            _save(checkpoint, state | {"step": step + 1})
    modules.eval()
