"""Peers to compare with, each in an environment of its own, made once under .cache/peers.

Knows packages and environments; nothing of what is measured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from sae_core.errors import UserError

ROOM = Path(".cache/peers")
TORCH = "torch==2.13.0"


class Peer(NamedTuple):
    """A package that trains sparse coders, the version compared with, and its runner."""

    name: str
    package: str
    runner: str


PEERS = (
    Peer("sae-lens", "sae-lens==6.54.12", "sae_lens"),
    Peer("eai-sparsify", "eai-sparsify==1.3.3", "sparsify"),
    Peer("dictionary-learning", "dictionary-learning==0.1.0", "dictionary_learning"),
)


def python_of(peer: Peer) -> Path:
    """The interpreter of a peer's environment; installed on first use, torch first."""
    home = (ROOM / peer.name).absolute()
    python, done = home / "bin" / "python", home / ".complete"
    if done.exists() and done.read_text() == peer.package:
        return python
    print(f"installing {peer.package} into {home} (once) ...", file=sys.stderr)
    _run(sys.executable, "-m", "venv", "--clear", str(home))
    _run(str(python), "-m", "pip", "install", "-qq", TORCH)
    _run(str(python), "-m", "pip", "install", "-qq", TORCH, peer.package, "safetensors")
    done.write_text(peer.package)
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise UserError(f"{' '.join(command)} failed: {last}. Try again with a network.")
