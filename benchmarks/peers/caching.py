"""Keeping what fires on pictures, and choosing each feature's best, against two who do it densely.

    python -m benchmarks.peers.caching [--pictures 100,500] [--features 1000,10000] [--json]

The same drawn codes for all; the model and the encoder, which are the same for all as well, are
left out. `dense` is our own faithful re-implementation of the published pipeline's algorithm. Each
run is a process of its own. Its pictures are held against ours; more memory counts from after the
first batch was drawn. What cannot fit is worked out instead of tried, and what takes longer than
--longest or more than 4/5 of the free memory is stopped, and all of that is said.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.one_line import in_one_line
from benchmarks.peers.environments import (
    DELPHI,
    NotInstalled,
    Peer,
    TooLarge,
    TooLong,
    python_of,
    run,
)
from sae_core.errors import UserError

OURS, WHOLE, DENSE = "lmmscope", "whole", "dense"
CELLS, K, BATCH = 576, 32, 4
WIDE = 96
"""Columns of the table, where its place has fewer, such as a file."""
ONCE = 5.0
"""Seconds; what takes longer is measured once."""
ROOM = 0.8
"""The share of the free memory that a run may take."""


class Contestant(NamedTuple):
    """Who takes part, and how it is run."""

    name: str
    runner: str
    peer: Peer | None = None
    whole: bool = False

    @property
    def dense(self) -> bool:
        """Whether its memory grows with pictures."""
        return not self.runner.endswith("lmmscope")


class Cell(NamedTuple):
    """What is raced over."""

    pictures: int
    features: int
    k: int = K

    def dense_bytes(self) -> int:
        """What keeping it densely takes at least: one batch, and all that fires, twice.

        A batch: its codes and their absolute values in four bytes, and which are kept in one. What
        fires: three whole numbers and a value, in pieces and then in one.
        """
        batch = BATCH * CELLS * self.features * (4 + 4 + 1)
        fires = self.pictures * CELLS * self.k * (3 * 8 + 4)
        return batch + 2 * fires


class Measured(NamedTuple):
    """Medians of one contestant in one cell; or why there are none."""

    name: str
    pictures: int
    features: int
    caching: float | None = None
    """Seconds, until everything is on disk."""
    choosing: float | None = None
    """Seconds, for all features' pictures."""
    more_megabytes: float | None = None
    disk_megabytes: float | None = None
    same: float | None = None
    """The share of features for which it chose the same five pictures as we did."""
    rounds: int = 0
    instead: str = ""

    @property
    def seconds(self) -> float | None:
        """Both together."""
        return (
            None if self.caching is None or self.choosing is None else self.caching + self.choosing
        )


def contestants(*, delphi: bool = True) -> list[Contestant]:
    """All of them, ours first: the others are held against it."""
    found = [
        Contestant(OURS, "caching_lmmscope"),
        Contestant(WHOLE, "caching_lmmscope", whole=True),
        Contestant(DENSE, "caching_dense"),
    ]
    return [*found, Contestant(DELPHI.name, DELPHI.runner, DELPHI)] if delphi else found


def free_bytes() -> int:
    """How much memory is free."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise UserError("No MemAvailable in /proc/meminfo: this benchmark runs on Linux only")


def race(
    cell: Cell, who: Sequence[Contestant], *, rounds: int, longest: float, seed: int, threads: int
) -> Iterator[Measured]:
    """Everybody over one cell."""
    ours = dict[int, set[int]]()
    for one in who:
        blank = Measured(one.name, cell.pictures, cell.features)
        most = int(ROOM * free_bytes())
        if one.dense and cell.dense_bytes() > most:
            needs = cell.dense_bytes() / 1e9
            yield blank._replace(instead=f"needs {needs:.0f} GB of {most / 1e9:.0f}")
            continue
        try:
            runs = _runs(one, cell, rounds, seed, threads, longest=longest, most=most)
        except TooLong:
            yield blank._replace(instead=f"over {longest:.0f} s")
            continue
        except TooLarge:
            yield blank._replace(instead=f"over {most / 1e9:.0f} GB")
            continue
        ours = ours or runs[0]["chosen"]
        yield _median(blank, runs, ours)


def _runs(
    one: Contestant, cell: Cell, rounds: int, seed: int, threads: int, **limits: Any
) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = []
    while not runs or (len(runs) < rounds and runs[0]["caching"] + runs[0]["choosing"] < ONCE):
        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder)
            setting = {
                "pictures": cell.pictures, "features": cell.features, "k": cell.k, "cells": CELLS,
                "batch": BATCH, "seed": seed, "threads": threads, "whole": one.whole,
                "folder": str(room / "kept"), "chosen": str(room / "chosen.json"),
            }  # fmt: skip
            made = run(one.peer, one.runner, setting, room, **limits)
            chosen = json.loads((room / "chosen.json").read_text())
            shutil.rmtree(room / "kept")
        runs.append(made | {"chosen": {best["feature"]: set(best["pictures"]) for best in chosen}})
    return runs


def _median(blank: Measured, runs: Sequence[dict[str, Any]], ours: dict[int, set[int]]) -> Measured:
    names = ("caching", "choosing", "more_megabytes", "disk_megabytes")
    medians = {name: statistics.median(one[name] for one in runs) for name in names}
    chosen = runs[0]["chosen"]
    same = sum(chosen.get(feature) == pictures for feature, pictures in ours.items()) / len(ours)
    return blank._replace(**medians, same=same, rounds=len(runs))


def told(found: Sequence[Measured], delphi_missing: str) -> None:
    """The table, with how many times as much the others take as we do."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{CELLS} cells a picture, k = {K}, batches of {BATCH}")
    for heading in ("pictures", "features"):
        table.add_column(heading, justify="right")
    table.add_column("who")
    for heading in ("keeping s", "choosing s", "times", "more MB", "disk MB", "same five"):
        table.add_column(heading, justify="right")
    ours = {(one.pictures, one.features): one for one in found if one.name == OURS}
    for one in found:
        table.add_row(
            f"{one.pictures:,}", f"{one.features:,}", one.name,
            *_cells(one, ours[one.pictures, one.features]),
        )  # fmt: skip
    console = Console(width=max(WIDE, Console().width))
    console.print(table)
    if delphi_missing:
        console.print(f"delphi took no part: {delphi_missing}")
    console.print(
        "`whole` also finds each feature's negatives and neighbours, which nobody else does. "
        "delphi keeps activations in half precision."
    )


def _cells(one: Measured, ours: Measured) -> Sequence[str]:
    if one.seconds is None:
        return (one.instead,)
    times = f"{one.seconds / ours.seconds:.1f}" if ours.seconds else "-"
    return (
        f"{one.caching:.1f}", f"{one.choosing:.1f}", times,
        f"{one.more_megabytes:,.0f}", f"{one.disk_megabytes:,.1f}", f"{one.same:.2%}",
    )  # fmt: skip


def _seen(one: Measured) -> Measured:
    """Said at once, as a race takes minutes."""
    took = one.instead or f"{one.caching:.1f} s and {one.choosing:.1f} s"
    place = f"{one.pictures:,} pictures, {one.features:,} features"
    print(f"{place}: {one.name}: {took}", file=sys.stderr, flush=True)
    return one


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


@in_one_line()
def main() -> None:
    """Race, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=_numbers, default=[100, 500])
    parser.add_argument("--features", type=_numbers, default=[1000, 10000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--longest", type=float, default=600.0, help="seconds a run may take")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    wrong = [n for n in given.pictures if n <= 0 or n % BATCH]
    if wrong:
        parser.error(f"--pictures {wrong[0]}: whole batches of {BATCH} are needed")
    missing = ""
    try:
        python_of(DELPHI)
    except NotInstalled as error:
        missing = str(error)
    found = [
        _seen(one)
        for pictures, features in itertools.product(given.pictures, given.features)
        for one in race(
            Cell(pictures, features), contestants(delphi=not missing), rounds=given.rounds,
            longest=given.longest, seed=given.seed, threads=given.threads,
        )
    ]  # fmt: skip
    if given.json:
        document = {"runs": [one._asdict() for one in found], "delphi": missing or "took part"}
        print(json.dumps(document, indent=2))
        return
    told(found, missing)


if __name__ == "__main__":
    main()
