"""Artefacts that nothing speaks of: what killed runs and calls by hand leave behind.

An artefact that is spoken of may name others in turn, such as a score's sheet its evidence. What an
unfinished run goes on with, only its position may name. Knows files and ids; nothing of what
documents say.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.store.reader import Reader
from agent.store.rows import ids_in

POSITIONS = "checkpoints.db"
"""The file in a runs folder where the positions of unfinished runs are."""
MARGIN = 1.0
"""Seconds by which a file may seem older than it is: file systems keep their own time."""


class Collected(NamedTuple):
    """What was removed, or would be."""

    files: int
    bytes: int
    kept: int


def collect(store: Reader, *, dry: bool = False) -> Collected:
    """Remove what nothing speaks of; nothing younger than a run that is at work."""
    young = min([time.time(), *(run.began.timestamp() for run in store.live())]) - MARGIN
    named = store.referenced() | _in_positions(store.runs / POSITIONS)
    spoken = followed(store.artefacts.folder, named)
    removed, size, kept = 0, 0, 0
    for path in _files(store.artefacts.folder):
        try:
            found = path.stat()
            if path.name in spoken or found.st_mtime >= young:
                kept += 1
                continue
            if not dry:
                path.unlink()
        except FileNotFoundError:  # another one collects too
            continue
        removed, size = removed + 1, size + found.st_size
    return Collected(removed, size, kept)


def _in_positions(path: Path) -> set[str]:
    """What unfinished runs go on with."""
    if not path.exists():
        return set()
    found: set[str] = set()
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            if table in tables:
                for (held,) in db.execute(f"SELECT {column} FROM {table}"):
                    found |= ids_in(held or b"")
    return found


def _files(folder: Path) -> Iterator[Path]:
    """All artefacts, and files that a killed process had begun to write."""
    for sub in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        yield from sorted(sub.iterdir())


def followed(folder: Path, named: set[str]) -> set[str]:
    """Some artefacts, those that they name, and so on; also ids that no file has."""
    found: set[str] = set()
    while named:
        found |= named
        named = set().union(*(_names_in(folder / one[:2] / one) for one in named)) - found
    return found


def _names_in(path: Path) -> set[str]:
    try:
        with path.open("rb") as file:
            if file.read(1) not in (b"{", b"["):  # a picture
                return set()
            return ids_in(file.read())
    except FileNotFoundError:
        return set()
