"""A training step of a sparse coder against three peers, in one run, on the same rows.

    python -m benchmarks.peers.training [--rounds 3] [--json] [--seed 0]

Every round runs each once, in another order, in a process of its own: same rows, order, learning
rate and threads; the first step is left out; medians are shown. More memory counts from after the
rows were loaded. FVU is measured on held-out rows after the same number of tokens.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file

from benchmarks.one_line import in_one_line
from benchmarks.peers.environments import TRAINERS, python_of, run

OURS = "lmmscope"
WIDTH, FEATURES, K, BATCH, RATE = 512, 16_384, 32, 1_024, 2e-4
ATOMS, ACTIVE, HELD_OUT = 6_000, 24, 2_048


def mixture(rows: int, seed: int) -> torch.Tensor:
    """Rows of rare directions, some much more frequent than others, with a mean and some noise."""
    generator = torch.Generator().manual_seed(seed)
    atoms = torch.nn.functional.normalize(torch.randn(ATOMS, WIDTH, generator=generator), dim=1)
    often = 1 / torch.arange(1, ATOMS + 1).sqrt()
    which = torch.multinomial(often.expand(rows, -1), ACTIVE, generator=generator)
    strength = torch.rand(rows, ACTIVE, generator=generator) + 0.5
    made = torch.nn.functional.embedding_bag(which, atoms, per_sample_weights=strength, mode="sum")
    return made + 0.3 + 0.02 * torch.randn(rows, WIDTH, generator=generator)


def measure(rounds: int, steps: int, seed: int, threads: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds, by name."""
    peers = {OURS: None, **{peer.name: peer for peer in TRAINERS}}
    for peer in TRAINERS:
        python_of(peer)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in peers}
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        rows = room / "rows.safetensors"
        x = mixture(steps * BATCH + HELD_OUT, seed)
        save_file({"train": x[HELD_OUT:].contiguous(), "held_out": x[:HELD_OUT].contiguous()}, rows)
        setting = {
            "rows": str(rows), "width": WIDTH, "features": FEATURES, "k": K,
            "batch": BATCH, "steps": steps, "rate": RATE, "seed": seed, "threads": threads,
        }  # fmt: skip
        order = random.Random(seed)
        for _ in range(rounds):
            for name in order.sample(list(peers), len(peers)):
                peer = peers[name]
                runner = peer.runner if peer else OURS
                found[name].append(run(peer, runner, setting, room))
    return {name: _median(runs) for name, runs in found.items()}


def _median(runs: list[dict[str, Any]]) -> dict[str, float]:
    seconds = statistics.median(s for run in runs for s in run["seconds"])
    return {
        "seconds": seconds,
        "tokens_per_second": BATCH / seconds,
        "more_megabytes": statistics.median(run["more_megabytes"] for run in runs),
        "fvu": statistics.median(run["fvu"] for run in runs),
    }


def floor(threads: int) -> float:
    """Seconds of the encoder product alone: what no exact float32 step can do without."""
    import time

    torch.set_num_threads(threads)
    x, weight = torch.randn(BATCH, WIDTH), torch.randn(FEATURES, WIDTH)
    seconds = []
    for _ in range(9):
        began = time.perf_counter()
        x @ weight.T
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


@in_one_line()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.rounds, given.steps, given.seed, given.threads)
    least = floor(given.threads)
    best = max(v["tokens_per_second"] for name, v in found.items() if name != OURS)
    ratio = found[OURS]["tokens_per_second"] / best
    if given.json:
        print(json.dumps({"runs": found, "encoder_product": least, "ratio": ratio}, indent=2))
        return
    table = Table(title=f"one step: d={WIDTH} F={FEATURES:,} k={K} N={BATCH:,}")
    for heading in ("trainer", "s/step", "tokens/s", "more MB", "held-out FVU"):
        table.add_column(heading, justify="left" if heading == "trainer" else "right")
    for name, v in sorted(found.items(), key=lambda item: item[1]["seconds"]):
        cells = (f"{v['seconds']:.3f}", f"{v['tokens_per_second']:,.0f}")
        table.add_row(name, *cells, f"{v['more_megabytes']:,.0f}", f"{v['fvu']:.3f}")
    console = Console()
    console.print(table)
    console.print(
        f"{ratio:.2f}x the fastest peer; the encoder product alone takes {least:.3f} s, "
        f"{least / found[OURS]['seconds']:.0%} of our step"
    )


if __name__ == "__main__":
    main()
