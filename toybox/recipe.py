"""The command line that all recipes share: where to work, where to ship, then the measured table.

Knows nothing of what is trained.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from toybox.bench import run
from toybox.bench_view import show
from toybox.models import weights_folder
from toybox.training import CACHE, console


def command(role: str, description: str, train: Callable[[Path, Path], None]) -> None:
    """Train a role's model, ship it, and print its lines of the model card."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=CACHE, help="pictures and checkpoints")
    parser.add_argument("--out", type=Path, default=weights_folder(role), help="the model's folder")
    given = parser.parse_args()
    train(given.cache, given.out)
    if given.out == weights_folder(role):
        show(run(seed=0, n=400, roles=[role]), console)
