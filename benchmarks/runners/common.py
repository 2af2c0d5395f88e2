"""What the runners share: the rows, a clock at each batch, and the result on standard output.

Runs inside a peer's own environment, so it imports nothing but torch and safetensors.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor


def peak_megabytes() -> float:
    """The most memory that this process has had. ru_maxrss would count its parent's too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("no VmHWM in /proc/self/status: memory is measured on Linux only")


class Task:
    """The setting and the rows, as every runner gets them: `python runner.py SETTING.json`."""

    def __init__(self) -> None:
        self.setting: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
        torch.set_num_threads(self.setting["threads"])
        torch.manual_seed(self.setting["seed"])
        rows = load_file(self.setting["rows"])
        self.train, self.held_out = rows["train"], rows["held_out"]
        self.before = peak_megabytes()
        self.clock: list[float] = []

    def __getitem__(self, name: str) -> Any:
        return self.setting[name]

    def batches(self) -> Iterator[Tensor]:
        """The batches in their order; the clock is read at each."""
        for at in range(0, len(self.train), self["batch"]):
            self.clock.append(time.perf_counter())
            yield self.train[at : at + self["batch"]]

    def finish(self, rebuilt: Callable[[Tensor], Tensor]) -> None:
        """Print what was measured. The first step, which warms up, is left out."""
        self.clock.append(time.perf_counter())
        peak = peak_megabytes()
        x = self.held_out
        with torch.no_grad():
            made = torch.cat([rebuilt(part) for part in x.split(1024)])
        steps = [b - a for a, b in zip(self.clock[1:-1], self.clock[2:], strict=True)]
        fvu = (x - made).square().sum() / (x - x.mean(0)).square().sum()
        print(
            json.dumps(
                {
                    "seconds": steps,
                    "more_megabytes": peak - self.before,
                    "fvu": float(fvu),
                }
            )
        )
