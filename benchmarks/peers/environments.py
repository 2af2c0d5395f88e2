"""Peers to compare with, each in an environment of its own, made once under .cache/peers.

Knows packages, environments and how a runner is started in one; nothing of what is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from signal import SIGKILL
from typing import Any, NamedTuple

from sae_core.errors import UserError

ROOM = Path(".cache/peers")
ROOT = Path(__file__).parents[2]
RUNNERS = ROOT / "benchmarks" / "runners"
TORCH = "torch==2.13.0"


class Peer(NamedTuple):
    """A package, the version compared with, and its runner."""

    name: str
    package: str
    runner: str
    instead: tuple[str, ...] = ()
    """What is installed instead of the package's own requirements, where those are far more."""
    without: tuple[str, ...] = ()
    """What its requirements ask for and its trainer never uses; taken out again."""


TRAINERS = (
    Peer("sae-lens", "sae-lens==6.54.12", "sae_lens"),
    Peer("eai-sparsify", "eai-sparsify==1.3.3", "sparsify"),
    # A torchvision made for another build of torch ends the import of transformers.
    Peer(
        "dictionary-learning", "dictionary-learning==0.1.0", "dictionary_learning",
        without=("torchvision",),
    ),
)  # fmt: skip
# It also requires vLLM and bitsandbytes, gigabytes for GPUs that its cache does not import.
DELPHI = Peer(
    "delphi",
    "eai-delphi==0.1.3",
    "caching_delphi",
    (
        "eai-sparsify==1.3.3", "asyncer", "beartype", "blobfile", "faiss-cpu", "jaxtyping",
        "orjson", "sentence-transformers", "simple-parsing",
    ),
)  # fmt: skip


class NotInstalled(UserError):
    """A peer's environment can't be made on this machine."""


_NO_ROOM = ("MemoryError", "allocate memory", "Unable to allocate", "bad_alloc")
"""How Python, torch, numpy and C++ say it."""


class TooLong(UserError):
    """A runner was stopped at its time limit."""


class TooLarge(UserError):
    """A runner wanted more memory than it may have."""


def python_of(peer: Peer) -> Path:
    """The interpreter of a peer's environment; installed on first use, torch first."""
    home = (ROOM / peer.name).absolute()
    python, done = home / "bin" / "python", home / ".complete"
    if done.exists() and done.read_text() == peer.package:
        return python
    print(f"installing {peer.package} into {home} (once) ...", file=sys.stderr)
    _run(sys.executable, "-m", "venv", "--clear", str(home))
    install = (str(python), "-m", "pip", "install", "-qq")
    _run(*install, TORCH)
    _run(*install, TORCH, "safetensors", *(peer.instead or (peer.package,)))
    if peer.instead:
        _run(*install, "--no-deps", peer.package)
    if peer.without:
        _run(str(python), "-m", "pip", "uninstall", "-qq", "-y", *peer.without)
    done.write_text(peer.package)
    return python


def run(
    peer: Peer | None,
    runner: str,
    setting: Mapping[str, Any],
    room: Path,
    *,
    longest: float | None = None,
    most: int | None = None,
) -> dict[str, Any]:
    """What a runner prints, in a process of its own; without a peer it is one of ours.

    It may hold `most` bytes: else the machine's memory would end, and with it other processes.
    """
    python = sys.executable if peer is None else python_of(peer)
    given = room / f"{runner}.json"
    given.write_text(json.dumps(setting), encoding="utf-8")
    environment = os.environ | {
        "OMP_NUM_THREADS": str(setting["threads"]),
        "SPARSIFY_DISABLE_TRITON": "1",
        "PYTHONPATH": str(ROOT) if peer is None else "",
    }
    command = [str(python), "-P", "-c", _START, str(RUNNERS), runner, str(given), str(most or -1)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=longest
        )
    except subprocess.TimeoutExpired:
        raise TooLong(f"{runner} was stopped after {longest:.0f} s. Try --longest") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
        if done.returncode == -SIGKILL or any(said in last for said in _NO_ROOM):
            raise TooLarge(f"The runner {runner} ran out of memory: {last}")
        raise UserError(f"The runner {runner} failed: {last}")
    return json.loads(done.stdout.splitlines()[-1])


# The runners lie beside each other and are named after what they run: their folder may only be
# looked into for what they share, or sae_lens would import itself.
_START = """
import importlib.util, resource, runpy, sys
folder, name, setting, most = sys.argv[1:]
_, hardest = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, (int(most), hardest))
sys.argv = [name, setting]
for shared in ("common", "codes"):
    spec = importlib.util.spec_from_file_location(shared, f"{folder}/{shared}.py")
    sys.modules[shared] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
runpy.run_path(f"{folder}/{name}.py")
"""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise NotInstalled(f"{' '.join(command)} failed: {last}. Try again with a network.")
