"""One process makes what several may want at the same time; the others wait, and find it made.

Knows locks; nothing of what is made.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(made: Path, runs: Path) -> Generator[None]:
    """Wait until nobody else makes this; a process that dies lets go of it."""
    from agent.store.locks import Lock

    lock = Lock(runs / "locks", f"{made.parent.name}-{made.name}")
    while not lock.take():
        pass  # it waits a moment itself
    try:
        yield
    finally:
        lock.release()
