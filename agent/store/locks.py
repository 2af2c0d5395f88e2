"""Who works on a run: a lock that is gone with its process, however that ends.

It is SQLite's own lock on an empty file, since that holds on every system that SQLite runs on; a
process number alone may belong to somebody else by now. Knows files; nothing of runs.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sae_core.errors import UserError

MOMENT = 0.2
"""Seconds to wait for somebody who only looks whether the lock is held."""


class Lock:
    """A named lock in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.lock"
        self._held: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Whether it is ours now."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{self._path.parent} can't be made: {error.strerror}. See to its permissions"
            ) from None
        self._held = self._try(MOMENT)
        return self._held is not None

    def held(self) -> bool:
        """Whether anybody has it, this process included."""
        if not self._path.exists():
            return False
        try:
            taken = self._try(0)
        except UserError:  # a folder that may only be read, in which nobody works
            return False
        if taken is not None:
            taken.close()
        return taken is None

    def release(self) -> None:
        """Let others have it; the file stays, as somebody may be waiting for it."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _try(self, patience: float) -> sqlite3.Connection | None:
        connection = None
        try:
            connection = sqlite3.connect(
                self._path, timeout=patience, isolation_level=None, check_same_thread=False
            )
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if connection is not None:
                connection.close()
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return None
            raise UserError(f"{self._path} can't be locked: {error}. See to its folder") from None
        return connection
