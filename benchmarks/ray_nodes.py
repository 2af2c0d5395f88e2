"""Whether a cluster that loses a node comes to what one process comes to: an index, and a batch.

    python -m benchmarks.ray_nodes [--features 0-7] [--nodes 3] [--pictures 4096] [--planted-seed 0]

Both are made in one process, and then by Ray on so many nodes on this machine, one of which is
killed with SIGKILL while it works. Then files and findings are compared, and what is found twice,
lost or left behind is counted.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, NamedTuple, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks.killed import LMMSCOPE, Outcome, findings, judged
from benchmarks.one_line import in_one_line
from lmmscope.ray_cluster import ALONE, QUIETER

DIED = "a worker died"
"""What a command says of a node that was killed under it."""
AGENTS = (
    "metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)  # fmt: skip


TRIES = 3
T = TypeVar("T")
Moment = Callable[[], bool]
"""Whether it is time."""


class Nodes:
    """Nodes of a cluster on this machine, none of which can be reached from another one."""

    def __init__(self, count: int, room: Path) -> None:
        """The first one is the head, and stays."""
        from ray.cluster_utils import Cluster

        self._room = room
        self._cluster: Any = _tried(
            lambda: Cluster(initialize_head=True, head_node_args=self._node())
        )
        self._others: list[Any] = []
        for _ in range(count - 1):
            self.add_one()

    @property
    def address(self) -> str:
        """The head's."""
        return str(self._cluster.address)

    def workers(self) -> int:
        """How many have come up, those that died included: each has a folder."""
        return len(list(self._room.glob("lmmscope-*")))

    def kill_one(self) -> None:
        """All processes of the oldest node but the head, as if its power were cut."""
        self._cluster.remove_node(self._others.pop(0), allow_graceful=False)

    def add_one(self) -> None:
        """A node more."""
        self._others.append(_tried(lambda: self._cluster.add_node(**self._node())))

    def end(self) -> None:
        """The head last."""
        self._cluster.shutdown()

    @staticmethod
    def _node() -> dict[str, Any]:
        # For most ports that are not given, a node waits fifteen seconds, and then fails.
        taken = [socket.socket() for _ in AGENTS]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        ports = {name: one.getsockname()[1] for name, one in zip(AGENTS, taken, strict=True)}
        for one in taken:
            one.close()
        return {
            **ports,
            "num_cpus": 1,
            "num_gpus": 0,
            "node_ip_address": "127.0.0.1",
            "include_dashboard": False,
        }


def _tried(start: Callable[[], T]) -> T:
    """Start a node; on a machine that is very busy Ray itself gives up too soon."""
    for _ in range(TRIES - 1):
        try:
            return start()
        except Exception as error:  # Ray raises no other kind
            if "timed out during startup" not in str(error):
                raise
    return start()


@contextmanager
def cluster(count: int) -> Generator[Nodes]:
    """So many nodes with a CPU each; nothing of them is left behind."""
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as room:
        own = {"RAY_TMPDIR": room, "TMPDIR": room}
        before = {name: os.environ.get(name) for name in own}
        os.environ.update(ALONE | QUIETER | own)
        Path(
            room, "ray"
        ).mkdir()  # where Ray says which cluster runs here, and takes it for granted
        nodes = Nodes(count, Path(room))
        try:
            yield nodes
        finally:
            nodes.end()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


class Took(NamedTuple):
    """What a command came to."""

    seconds: float
    answer: str
    said: str
    """Beside its answer."""
    moments: int
    """At how many a node was killed."""


def command(*words: str) -> Took:
    """A command of lmmscope's that has to succeed."""
    return disturbed(words, None, ())


def disturbed(words: Sequence[str], nodes: Nodes | None, moments: Sequence[Moment]) -> Took:
    """The same, while at each of these moments a node is killed and another one comes up."""
    began, left = time.monotonic(), list(moments)
    with TemporaryFile("w+") as answer, TemporaryFile("w+") as said:
        process = subprocess.Popen([*LMMSCOPE, *words], stdout=answer, stderr=said)
        while process.poll() is None:
            # Here and not in a thread: Ray starts nodes in the main one alone.
            if nodes is not None and left and left[0]():
                nodes.kill_one()
                nodes.add_one()
                del left[0]
            time.sleep(0.05)
        took = time.monotonic() - began
        for file in (answer, said):
            file.seek(0)
        done = Took(took, answer.read(), said.read(), len(moments) - len(left))
    if process.returncode:
        raise SystemExit(f"lmmscope {' '.join(words)}: {done.said[-500:]}")
    return done


def some_found(folder: Path) -> Moment:
    """Whether the first finding is kept."""
    from agent.store import Reader

    def look() -> bool:
        if not (folder / "findings.db").exists():
            return False
        with Reader(folder) as store:
            return store.newest() is not None

    return look


def some_counted(folder: Path, nodes: Nodes, count: int) -> Moment:
    """Whether the first part of an index below a folder is kept, and all workers have begun."""
    return lambda: nodes.workers() >= count and any(folder.rglob("parts/*.npz"))


def files(folder: Path) -> dict[str, bytes]:
    """What an index consists of."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class Compared(NamedTuple):
    """One process beside a cluster that lost a node."""

    alone: float
    """Seconds."""
    together: float
    same: bool
    lost_a_node: bool
    """While it worked, as it said itself."""


def indexes(given: argparse.Namespace, room: Path, nodes: Nodes) -> Compared:
    """The same index twice."""
    asked = ["index", "build", "-n", str(given.pictures), "--planted-seed", given.planted_seed]
    alone = command(*asked, "--out", str(room / "one"))
    begun = some_counted(room / "many", nodes, given.nodes)
    many = disturbed([*asked, "--out", str(room / "many"), *_on(given, nodes)], nodes, [begun])
    same = files(room / "one") == files(room / "many")
    return Compared(alone.seconds, many.seconds, same, DIED in many.said)


class Batches(NamedTuple):
    """The same batch twice."""

    compared: Compared
    outcome: Outcome
    lost: int
    """Findings that one process came to, and the cluster did not."""


def batches(given: argparse.Namespace, room: Path, nodes: Nodes) -> Batches:
    """The same batch twice."""
    asked = ["batch", "--features", given.features, "--planted-seed", given.planted_seed]
    calm, wild = room / "calm", room / "wild"
    alone = command(*asked, "--workers", "1", "--runs", str(calm))
    on = [*asked, "--runs", str(wild), *_on(given, nodes)]
    many = disturbed(on, nodes, [some_found(wild)])
    wanted = findings(calm)
    outcome = judged(wild, wanted, 1)
    compared = Compared(alone.seconds, many.seconds, outcome.same, DIED in many.said)
    return Batches(compared, outcome, len(set(wanted) - set(findings(wild))))


def _on(given: argparse.Namespace, nodes: Nodes) -> tuple[str, ...]:
    return ("--ray", nodes.address, "--actors", str(given.nodes))


@in_one_line()
def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--features", default="0-7")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=4096)
    parser.add_argument("--planted-seed", default="0")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    # A sum over another number of threads is another one in its last digits; a worker here has one.
    os.environ["LMMSCOPE_THREADS"] = "1"
    with TemporaryDirectory() as place, cluster(given.nodes) as nodes:
        room = Path(place)
        counted = indexes(given, room, nodes)
        found = batches(given, room, nodes)
    if given.json:
        told = {**found.outcome._asdict(), "lost": found.lost}
        print(json.dumps({"index": counted._asdict(), "batch": found.compared._asdict(), **told}))
        return
    table = Table("", "one process, s", f"{given.nodes} nodes, s", "a node died", "the same")
    for name, one in (("index", counted), ("batch", found.compared)):
        seconds = f"{one.alone:.0f}", f"{one.together:.0f}"
        table.add_row(name, *seconds, str(one.lost_a_node), str(one.same))
    console = Console()
    console.print(table)
    console.print(
        f"findings lost: {found.lost}, found twice: {found.outcome.twice}, "
        f"artefacts that nothing speaks of: {found.outcome.orphans}"
    )
    same = counted.same and found.compared.same
    sys.exit(0 if same and not (found.lost or found.outcome.twice) else 1)


if __name__ == "__main__":
    main()
