"""Attributing an answer to all features at once, against switching one feature off at a time.

    python -m benchmarks.peers.attribution [--pictures 4] [--sample 32] [--json]

Only features that fire can matter, so only they would be switched off, and a sample of them is: the
time for all is worked out from it. Sixteen rows share a pass, which favours the slow way. Seconds
are of the processor. `benchmarks.attribution` holds the same against one forward pass.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.one_line import in_one_line
from lmmscope import wiring
from lmmscope.settings import load_settings
from sae_core.attribution.exact import ablated, spearman
from sae_core.attribution.linear import Question, ask, attribute
from sae_core.lmm.adapter import Prompt


class Raced(NamedTuple):
    """One question, both ways."""

    firing: int
    """How many features fire at all."""
    at_once: float
    """Seconds for all of them."""
    each: float
    """Seconds to switch one off."""
    agreement: float
    """The rank correlation of both, over the sample."""

    @property
    def times(self) -> float:
        """How much longer it would take to switch all of them off."""
        return self.firing * self.each / self.at_once


def raced(question: Question, sample: int, seed: int) -> Raced:
    """One question, both ways."""
    attribute(question)  # warm
    began = time.process_time()
    found = attribute(question)
    at_once = time.process_time() - began
    firing_F = found.code.indices_NK[found.code.fired()].unique()
    draw = torch.Generator().manual_seed(seed)
    some_S = firing_F[torch.randperm(len(firing_F), generator=draw)[:sample]]
    began = time.process_time()
    exact_S = ablated(question, some_S.tolist())
    each = (time.process_time() - began) / len(some_S)
    linear_S = found.totals()[some_S].cpu()
    return Raced(len(firing_F), at_once, each, spearman(linear_S, exact_S))


@in_one_line()
def main() -> None:
    """Race, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--sample", type=int, default=32, help="features switched off each time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = load_settings("toybox")
    adapter, coder = wiring.target(settings), wiring.coder(settings)
    shown = wiring.pictures(settings, settings.data.explore, 4096)
    runs = []
    for number in range(given.seed * given.pictures, (given.seed + 1) * given.pictures):
        inputs = adapter.prepare([Prompt((shown.picture(number),), "is there a car?")])
        question = ask(adapter, coder, coder.config.hook, inputs, "yes", "no")
        runs.append(raced(question, given.sample, given.seed))
    medians = Raced(
        round(statistics.median(one.firing for one in runs)),
        *(statistics.median(getattr(one, name) for one in runs) for name in Raced._fields[1:]),
    )
    if given.json:
        print(json.dumps({**medians._asdict(), "times": medians.times}, indent=2))
        return
    table = Table(title=f"why yes and not no: {medians.firing:,} features fire")
    for heading in ("way", "s a feature", "s for all"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    each = medians.at_once / medians.firing
    table.add_row("all at once", f"{each:.6f}", f"{medians.at_once:.3f}")
    all_of_them = medians.each * medians.firing
    table.add_row("one at a time", f"{medians.each:.6f}", f"{all_of_them:.1f} (worked out)")
    console = Console()
    console.print(table)
    console.print(f"{medians.times:,.0f} times; rank correlation {medians.agreement:.2f}")


if __name__ == "__main__":
    main()
