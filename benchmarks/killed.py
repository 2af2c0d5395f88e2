"""Whether a batch that is killed again and again comes to the findings of one that is not.

    python -m benchmarks.killed [-n 50] [--features 0-7] [--planted-seed 0]

A batch runs undisturbed in one folder. In another it is killed with SIGKILL at random moments and
resumed, until it has been killed n times; where it ends before, it begins in a new folder. Then the
findings are compared, and what is found twice or left behind is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.one_line import in_one_line

LMMSCOPE = [sys.executable, "-m", "lmmscope"]
ENDS = {"at", "cost", "run", "provenance"}
"""What may differ between two runs that find the same."""
FIRST, LAST = 3.0, 30.0
"""Seconds after which a process is killed: from before its first step to deep in its work."""


class Outcome(NamedTuple):
    """What one folder came to."""

    kills: int
    same: bool
    twice: int
    """Findings and events that are there twice."""
    orphans: int
    """Artefacts that nothing speaks of, after `runs gc`."""


def told(*words: str, folder: Path) -> Any:
    """What a command prints as JSON."""
    done = subprocess.run([*LMMSCOPE, *words, "--runs", str(folder), "--json"], capture_output=True)
    if done.returncode:
        raise SystemExit(f"lmmscope {' '.join(words)}: {done.stderr.decode()[-500:]}")
    return json.loads(done.stdout)


def findings(folder: Path) -> dict[str, dict[str, Any]]:
    """All findings of a folder, by key."""
    found = [
        one
        for run in told("runs", "list", folder=folder)
        for one in told("runs", "show", run["id"], folder=folder)["findings"]
    ]
    return {one["key"]: {k: v for k, v in one.items() if k not in {*ENDS, "id"}} for one in found}


def start(given: argparse.Namespace, folder: Path, run: str | None) -> subprocess.Popen[bytes]:
    """The batch, or the run resumed."""
    words = ["batch", "--features", given.features, "--planted-seed", str(given.planted_seed)]
    command = ["runs", "resume", run] if run else words
    return subprocess.Popen(
        [*LMMSCOPE, *command, "--runs", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def disturbed(given: argparse.Namespace, folder: Path, kills: int, rng: random.Random) -> int:
    """Run a batch in a folder, killing it up to so many times; how often it was killed."""
    done, run = 0, None
    while True:
        process = start(given, folder, run)
        try:
            after = rng.uniform(FIRST, LAST) if done < kills else None
            code = process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done += 1
        else:
            if code:
                raise SystemExit(f"the batch in {folder} ended with code {code}")
            return done
        listed = told("runs", "list", folder=folder) if (folder / "findings.db").exists() else []
        run = listed[0]["id"] if listed else None


def judged(folder: Path, wanted: dict[str, dict[str, Any]], kills: int) -> Outcome:
    """Compare a folder with the undisturbed findings."""
    shown = [
        told("runs", "show", run["id"], folder=folder)
        for run in told("runs", "list", folder=folder)
    ]
    keys = [one["key"] for run in shown for one in run["findings"]]
    names = [(e["run"], e["unit"], e["step"], e["place"]) for run in shown for e in run["events"]]
    told("runs", "gc", folder=folder)
    left = told("runs", "gc", "--dry-run", folder=folder)
    twice = len(keys) - len(set(keys)) + len(names) - len(set(names))
    return Outcome(kills, findings(folder) == wanted, twice, left["files"])


@in_one_line()
def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=50, help="how often to kill")
    parser.add_argument("--features", default="0-7")
    parser.add_argument("--planted-seed", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rng, outcomes, began = random.Random(given.seed), [], time.monotonic()
    with tempfile.TemporaryDirectory() as room:
        calm = Path(room) / "calm"
        disturbed(given, calm, 0, rng)
        wanted = findings(calm)
        while (left := given.n - sum(one.kills for one in outcomes)) > 0:
            folder = Path(room) / f"killed-{len(outcomes)}"
            kills = disturbed(given, folder, left, rng)
            outcomes.append(judged(folder, wanted, kills))
            print(outcomes[-1], f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if given.json:
        print(json.dumps({"findings": len(wanted), "folders": [o._asdict() for o in outcomes]}))
        return
    table = Table("folder", "killed", "findings as undisturbed", "twice", "orphans after gc")
    for number, one in enumerate(outcomes):
        table.add_row(str(number), str(one.kills), str(one.same), str(one.twice), str(one.orphans))
    Console().print(table)


if __name__ == "__main__":
    main()
