"""Whether the review application answers at once from a store as large as the real thing.

    python -m benchmarks.review_load FOLDER [--findings 50000] [--events 2000000] [--rounds 7]

Where FOLDER has no store, one of these sizes is grown there from the small run of --like, or from
one that is made first. Then the server is started and every page asked for in turns; the first byte
is timed, and the most memory that the server took is read. Pages that have a model loaded come
after that, since how much a model takes is no matter of pages. The queries of the table of findings
are timed by themselves as well. The first answers count as the others.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_plus, urlsplit

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.store import Reader
from agent.store.vectors import Vectors
from benchmarks.large_store import Sizes, grow
from benchmarks.one_line import in_one_line
from benchmarks.review_addresses import WORDS, addresses
from review.queries import findings

LMMSCOPE = [sys.executable, "-m", "lmmscope"]
SMALL = {"LMMSCOPE_DATA__EXPLORE_PICTURES": "400", "LMMSCOPE_DATA__HELD_OUT_PICTURES": "200"}
PAGE_BAR, SEARCH_BAR, MEMORY_BAR = 100.0, 150.0, 300.0
"""Milliseconds to the first byte, the same of a search, megabytes."""
LABELS = 500
"""So many of the nearest labels are looked for among the findings."""


class Server(NamedTuple):
    """A review application that listens."""

    address: str
    """With the token."""
    process: subprocess.Popen[str]

    def memory(self) -> float:
        """The most that it has taken so far, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


class Timed(NamedTuple):
    """How long an address took to its first byte, in milliseconds."""

    address: str
    status: int
    median: float
    worst: float
    bar: float
    bytes: int


@contextmanager
def served(folder: Path) -> Generator[Server]:
    """The application as anybody starts it, in a process of its own."""
    process = subprocess.Popen(
        [*LMMSCOPE, "review", "--no-browser", "--runs", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().split()
        if not line:
            raise SystemExit("the server did not start; what it said is above")
        yield Server(line[-1], process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def timed(server: Server, asked: Sequence[str], rounds: int) -> list[Timed]:
    """Ask for all pages in turns, each on a connection of its own as a new tab would."""
    host = urlsplit(server.address).netloc
    _ready(host)
    taken: dict[str, list[float]] = {one: [] for one in asked}
    last: dict[str, tuple[int, int]] = {}
    for _ in range(rounds):
        for address in asked:
            began = time.perf_counter()
            connection = HTTPConnection(host, timeout=60)
            connection.request("GET", address)
            answer = connection.getresponse()
            answer.read(1)
            taken[address].append((time.perf_counter() - began) * 1e3)
            last[address] = (answer.status, 1 + len(answer.read()))
            connection.close()
    return [
        Timed(
            address, last[address][0], statistics.median(each), max(each), _bar(address),
            last[address][1],
        )
        for address, each in taken.items()
    ]  # fmt: skip


def queried(store: Reader, rounds: int) -> list[Timed]:
    """The list of findings in every order, and searched by words and by meaning, without pages."""
    vectors = Vectors(store, "noise")
    wanted: dict[str, Callable[[], object]] = {
        f"findings by {sort}": partial(findings.page, store, sort=sort) for sort in findings.SORTS
    }
    wanted["findings counted"] = partial(findings.tallies, store)
    for words in WORDS:
        asked = findings.Wanted(words=words)
        wanted[f"findings q={words}"] = partial(findings.page, store, asked, sort="fit")
        wanted[f"findings q={words} counted"] = partial(findings.tallies, store, asked)
    width = len(store.rows("SELECT vector FROM vectors LIMIT 1")[0]["vector"]) // 2
    asked_D = np.random.default_rng(1).standard_normal(width)
    wanted["findings q= by meaning"] = lambda: findings.meant(
        store, vectors.nearest(asked_D, LABELS), size=50
    )
    taken: dict[str, list[float]] = {name: [] for name in wanted}
    for name, query in [*wanted.items()] * rounds:
        began = time.perf_counter()
        query()
        taken[name].append((time.perf_counter() - began) * 1e3)
    return [
        Timed(name, 200, statistics.median(each), max(each), _bar(name), 0)
        for name, each in taken.items()
    ]


def _bar(address: str) -> float:
    return SEARCH_BAR if "q=" in address else PAGE_BAR


def _ready(host: str, patience: float = 30.0) -> None:
    """Wait until somebody answers; the address is told before that."""
    until = time.monotonic() + patience
    while True:
        try:
            connection = HTTPConnection(host, timeout=5)
            connection.request("GET", "/static/none")
            connection.getresponse()
            return
        except OSError:
            if time.monotonic() > until:
                raise


def made(given: argparse.Namespace) -> float:
    """The store, unless it is there; the seconds that it took to grow."""
    if (given.folder / "findings.db").exists():
        return 0.0
    like = given.like or given.folder / "small"
    if not (like / "findings.db").exists():
        ask = [*LMMSCOPE, "batch", "--features", "0-7", "--planted-seed", "0", "--runs", str(like)]
        subprocess.run(ask, check=True, env={**os.environ, **SMALL}, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    given.folder.mkdir(parents=True, exist_ok=True)
    grow(given.folder, like, Sizes(findings=given.findings, events=given.events, calls=given.calls))
    return time.monotonic() - began


def report(found: list[Timed], memory: float, grown: float, store: dict[str, int]) -> None:
    """The slowest first."""
    console = Console()
    table = Table(title="First byte in ms")
    for heading in ("page", "status", "median", "worst", "bar", "kB"):
        table.add_column(heading, justify="left" if heading == "page" else "right", overflow="fold")
    for one in sorted(found, key=lambda one: one.median / one.bar, reverse=True):
        held = one.median < one.bar and one.status < 400
        cells = (str(one.status), f"{one.median:.1f}", f"{one.worst:.1f}", f"< {one.bar:.0f}")
        style = None if held else "red"
        table.add_row(unquote_plus(one.address), *cells, f"{one.bytes / 1024:.0f}", style=style)
    console.print(table)
    console.print(", ".join(f"{count:,} {name}" for name, count in store.items()))
    if grown:
        console.print(f"the store was grown in {grown:.0f} s")
    console.print(f"the server took {memory:.0f} MB at most (bar: {MEMORY_BAR:.0f})")


@in_one_line()
def main() -> None:
    """Make the store, ask for everything, and tell what does not hold."""
    usual = Sizes()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", type=Path, help="a runs folder with a small batch")
    parser.add_argument("--findings", type=int, default=usual.findings)
    parser.add_argument("--events", type=int, default=usual.events)
    parser.add_argument("--calls", type=int, default=usual.calls)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    grown = made(given)
    with Reader(given.folder) as store:
        asked = list(dict.fromkeys(addresses(store)))
        tables = ("runs", "units", "events", "findings", "calls", "verdicts", "vectors")
        found = queried(store, given.rounds)
        sizes = {name: store.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in tables}
    with served(given.folder) as server:
        found += timed(server, asked, given.rounds)
        memory = server.memory()
    if given.json:
        document = {"pages": [one._asdict() for one in found], "memory": memory, "grown": grown}
        print(json.dumps({**document, "store": sizes}, indent=2))
    else:
        report(found, memory, grown, sizes)
    slow = sum(one.median >= one.bar or one.status >= 400 for one in found)
    raise SystemExit(1 if slow or memory >= MEMORY_BAR else 0)


if __name__ == "__main__":
    main()
