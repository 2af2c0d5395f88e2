"""A small training that several processes share: imported by a test, and run as one of two."""

import sys
from pathlib import Path

import torch
from torch import distributed as dist

from sae_core.coders.coder import CoderConfig
from sae_core.training.activations import TensorStream
from sae_core.training.sharding import Kind, sharding_of
from sae_core.training.trainer import TrainConfig, Trainer

KINDS = {
    "topk": {},
    "batchtopk": {"rule": "batchtopk"},
    "jumprelu": {"rule": "jumprelu"},
    "matryoshka": {"rule": "batchtopk", "groups": (8, 24, 64)},
    "normalised": {"normalised": True, "scale": 0.5},
}
STEPS, HALF = 10, 5
READ = [("one", "features"), ("one", "data"), ("topk-5", "data"), ("one-data", "features")]
"""Checkpoints that two processes go on from, and how they share then."""


class Training:
    """A trainer, its rows, and the losses of its steps."""

    def __init__(self, kind: str, shard: Kind, processes: int = 1) -> None:
        # Features that were silent for two steps count as dead, so the residual is taught, too.
        plan = TrainConfig(steps=STEPS, batch=64, rate=5e-3, warmup=2, accumulate=2, dead_after=128)
        config = CoderConfig(width=8, features=64, k=3, **KINDS[kind])
        self.trainer = Trainer(config, plan, sharding_of(shard))
        x_ND = torch.randn(512, 8, generator=torch.Generator().manual_seed(1))
        self.stream = TensorStream(x_ND * torch.arange(1.0, 9.0), 64 // processes)
        self.seen: list[list[float]] = []

    def until(self, step: int) -> "Training":
        """Train to that step."""
        while self.trainer.step < step:
            x_ND = self.stream.take()
            if self.trainer.step == 0:
                self.trainer.begin(x_ND)
            loss = self.trainer.train_step(x_ND)
            losses = [float(part.detach()) for part in loss[:5]]
            self.seen.append([*losses, self.trainer.dead_share()])
        return self

    def read(self, path: Path) -> "Training":
        """Go on from a checkpoint."""
        self.stream.restore(self.trainer.restore(path))
        return self

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        self.trainer.save(path, self.stream.state())


def _work(folder: Path) -> None:
    dist.init_process_group("gloo")
    for kind in KINDS:
        training = Training(kind, "features", 2).until(HALF)
        training.save(folder / f"{kind}-{HALF}.pt")
        training.until(STEPS).save(folder / f"{kind}-{STEPS}.pt")
        if dist.get_rank() == 0:
            torch.save(training.seen, folder / f"{kind}-losses.pt")
    for name, shard in READ:
        training = Training("topk", shard, 2).read(folder / f"{name}.pt")
        training.save(folder / f"{name}-{shard}.pt")
        training.until(STEPS).save(folder / f"{name}-{shard}-end.pt")
        held = {**training.trainer.coder.state_dict(), "silent": training.trainer.silent_F}
        torch.save(held, folder / f"{name}-{shard}-held-{dist.get_rank()}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    _work(Path(sys.argv[1]))
