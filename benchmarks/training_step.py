"""A training step of a sparse coder against three peers, in one run, on the same rows.

    python -m benchmarks.training_step [--rounds 3] [--json] [--seed 0]

Every round runs each once, in another order, in a process of its own: same rows, order, learning
rate and threads; the first step is left out; medians are shown. More memory counts from after the
rows were loaded. FVU is measured on held-out rows after the same number of tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file

from benchmarks.peers import PEERS, python_of
from sae_core.errors import UserError

RUNNERS = Path(__file__).with_name("runners")
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


def run_one(name: str, setting: Path, threads: int) -> dict[str, Any]:
    """One runner's numbers."""
    peer = next((p for p in PEERS if p.name == name), None)
    python, runner = (python_of(peer), peer.runner) if peer else (sys.executable, OURS)
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "SPARSIFY_DISABLE_TRITON": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]) if peer is None else "",
    }
    command = [str(python), "-P", "-c", _START, str(RUNNERS), runner, str(setting)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise UserError(f"The runner of {name} failed: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


# The runners lie beside each other and are named after what they run: their folder may only be
# looked into for `common`, or sae_lens would import itself.
_START = """
import importlib.util, runpy, sys
folder, name, setting = sys.argv[1:]
spec = importlib.util.spec_from_file_location("common", folder + "/common.py")
common = importlib.util.module_from_spec(spec)
sys.modules["common"] = common
sys.argv = [name, setting]
spec.loader.exec_module(common)
runpy.run_path(folder + "/" + name + ".py")
"""


def measure(rounds: int, steps: int, seed: int, threads: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds, by name."""
    names = [OURS, *(peer.name for peer in PEERS)]
    for peer in PEERS:
        python_of(peer)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as room:
        rows = Path(room) / "rows.safetensors"
        x = mixture(steps * BATCH + HELD_OUT, seed)
        save_file({"train": x[HELD_OUT:].contiguous(), "held_out": x[:HELD_OUT].contiguous()}, rows)
        setting = Path(room) / "setting.json"
        setting.write_text(
            json.dumps(
                {
                    "rows": str(rows), "width": WIDTH, "features": FEATURES, "k": K,
                    "batch": BATCH, "steps": steps, "rate": RATE, "seed": seed, "threads": threads,
                }
            )
        )  # fmt: skip
        order = random.Random(seed)
        for _ in range(rounds):
            for name in order.sample(names, len(names)):
                found[name].append(run_one(name, setting, threads))
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
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
