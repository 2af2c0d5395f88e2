"""What building the index adds to the bare forward pass that it needs, and what it keeps.

    python -m benchmarks.index_pass [--rounds 12] [--json] [--seed 0]

In turns, on the same prepared batches: the forward pass that stops after the hooked layer, alone
and with coding and counting. Then whole builds over few and many pictures, each in a process of
its own: peak memory must not grow with pictures, nor the index beyond features x kept pictures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.one_line import in_one_line
from benchmarks.pace import arguments, compared, report
from benchmarks.runners.common import peak_megabytes
from lmmscope import wiring
from lmmscope.settings import load_settings
from sae_core.index.build import build_index
from sae_core.index.harvest import coded
from sae_core.index.observer import source_of, spec_of
from sae_core.index.tally import Tally
from sae_core.lmm.adapter import Prompt
from sae_core.lmm.hooks import harvest

BATCH, BATCHES = 32, 8
FEW, MANY = 256, 1024


def build(count: int, folder: Path) -> None:
    """One build; prints its peak memory and the size of what it left."""
    settings = load_settings("toybox")
    seeing = wiring.observer(settings)
    shown = wiring.pictures(settings, settings.data.explore, count)
    build_index(folder, spec_of(seeing, shown), source_of(seeing, shown, BATCH), shard=128)
    peak = peak_megabytes()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    print(json.dumps({"pictures": count, "peak_megabytes": peak, "index_megabytes": size}))


def sizes() -> list[dict[str, float]]:
    """Builds over few and many pictures."""
    found = []
    for count in (FEW, MANY):
        with tempfile.TemporaryDirectory() as room:
            command = [sys.executable, "-m", "benchmarks.index_pass", "--build", str(count), room]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return found


@in_one_line()
def main() -> None:
    """Print both."""
    if "--build" in sys.argv:
        build(int(sys.argv[2]), Path(sys.argv[3]) / "index")
        return
    given = arguments(__doc__ or "", 12)
    settings = load_settings("toybox")
    seeing = wiring.observer(settings)
    adapter, coder, hook = seeing.adapter, seeing.coder, seeing.hook
    shown = wiring.pictures(settings, settings.data.explore, 4096)
    first = given.seed * BATCH * BATCHES
    spans = [range(first + i * BATCH, first + (i + 1) * BATCH) for i in range(BATCHES)]
    batches = [adapter.prepare([Prompt((shown.picture(n),), "") for n in span]) for span in spans]
    tally = Tally(spec_of(seeing, shown), "cpu", None)
    turn = iter(range(1 << 30))

    def bare() -> None:
        for inputs in batches:
            harvest(adapter, inputs, hook)

    def counted() -> None:
        again = next(turn) * BATCH * BATCHES  # new numbers: an index counts each picture once
        for inputs, span in zip(batches, spans, strict=True):
            numbers = [(n + again) % 4096 for n in span]
            tally.add(coded(adapter, coder, hook, inputs, numbers))

    found = compared(f"{BATCH * BATCHES} pictures", bare, counted, rounds=given.rounds, target=1.35)
    title = "the index pass against the bare forward pass"
    report([found], given.json, title, builds=sizes())


if __name__ == "__main__":
    main()
