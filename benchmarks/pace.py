"""Times two ways of doing something in turns, so that a busy machine slows both alike.

Knows functions and clocks; nothing of what they do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Compared(NamedTuple):
    """Medians in seconds, and the median ratio of pairs that ran one after the other."""

    name: str
    plain: float
    ours: float
    ratio: float
    target: float
    """What the ratio should not exceed."""


def compared(
    name: str,
    plain: Callable[[], object],
    ours: Callable[[], object],
    *,
    rounds: int,
    target: float,
) -> Compared:
    """Run both in turns, each first as often as second; the first pair warms up."""
    pairs: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        seconds = {}
        for run in (plain, ours) if turn % 2 else (ours, plain):
            began = time.perf_counter()
            run()
            seconds[run] = time.perf_counter() - began
        pairs.append((seconds[plain], seconds[ours]))
    kept = pairs[1:]
    return Compared(
        name,
        statistics.median(a for a, _ in kept),
        statistics.median(b for _, b in kept),
        statistics.median(b / a for a, b in kept),
        target,
    )


def arguments(description: str, rounds: int) -> argparse.Namespace:
    """What every benchmark of this kind can be told."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def report(found: list[Compared], as_json: bool, title: str, **more: object) -> None:
    """Print the table and what else was measured, or all of it as one JSON document."""
    if as_json:
        print(json.dumps({"compared": [one._asdict() for one in found], **more}, indent=2))
        return
    table = Table(title=title)
    for heading in ("what", "without", "with", "ratio", "target"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for one in found:
        cells = (f"{one.plain * 1e3:.1f} ms", f"{one.ours * 1e3:.1f} ms", f"{one.ratio:.3f}")
        table.add_row(one.name, *cells, f"<= {one.target:.2f}")
    Console().print(table)
    for name, value in more.items():
        print(f"{name}: {json.dumps(value)}")
