"""The file `findings.db`: opened for writing or for reading alone, with faults told in one line.

Readers are never in a writer's way, nor it in theirs. Writers wait for each other: a transaction
takes milliseconds, so who waits for long is told who is at work. Knows SQLite; nothing of what the
tables hold. Threads may share one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from sqlite_utils import Database

from agent.store import schema
from sae_core.errors import UserError

PATIENCE = 10.0
"""How many seconds to wait for another writer."""
Row = dict[str, Any]


class FindingsFile:
    """An open `findings.db`."""

    def __init__(
        self, path: Path, *, write: bool, patience: float = PATIENCE, workers: Callable[[], str]
    ) -> None:
        """`workers` says who else may be writing."""
        self.path, self._workers, self._lock = path, workers, RLock()
        with self._told():
            connection = _writing(path, patience) if write else _reading(path, patience)
        connection.row_factory = sqlite3.Row
        try:
            with self._told():
                self._db = Database(connection, execute_plugins=False)
                connection.execute("PRAGMA foreign_keys = ON")
                if newer := schema.unknown(self._db):
                    raise UserError(
                        f"{path} was written by a newer lmmscope: {newer[-1]!r} is unknown here. "
                        "Update lmmscope, or choose another folder with --runs DIR"
                    )
                if write:
                    self._prepare()
        except BaseException:
            connection.close()
            raise

    @property
    def old(self) -> bool:
        """Whether tables are missing that a writer would add."""
        with self._lock, self._told():
            return schema.pending(self._db)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query finds."""
        with self._lock, self._told():
            return [dict(row) for row in self._db.execute(query, values)]

    @contextmanager
    def change(self) -> Generator[Database]:
        """All that is written inside, or nothing of it."""
        with self._lock, self._told():
            connection = self._db.conn
            # At once, since a transaction that reads first can't wait for another writer.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                connection.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        self._db.enable_wal()
        # What is committed survives the end of the process; the file itself a power cut.
        self._db.conn.execute("PRAGMA synchronous = NORMAL")
        if schema.pending(self._db):
            with self.change() as db:
                schema.MIGRATIONS.apply(db)

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            said = self._fault(error)
            if said is None:
                raise
            raise UserError(said) from error

    def _fault(self, error: sqlite3.Error) -> str | None:
        """What the matter is and what to do; None for a bug."""
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL:
                return (
                    f"There is no room for {self.path}: the disk is full. What was committed is "
                    "kept. Try lmmscope runs gc, then lmmscope runs resume"
                )
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return (
                    f"{self.path} can't be opened or written: {error}. See to its permissions, or "
                    "choose another folder with --runs DIR"
                )
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return f"{self.path} is locked by {self._workers()}. Wait for it, then try again"
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return (
                    f"{self.path} is damaged: {error}. Move it away and try again; "
                    f"sqlite3 {self.path.name} .recover may save what was in it"
                )
            case sqlite3.SQLITE_IOERR:
                return f"{self.path} can't be read or written: {error}. See to its disk"
        return None


def _writing(path: Path, patience: float) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{path.parent} can't be made: {error.strerror}. Choose another folder with --runs DIR"
        ) from None
    return _connected(str(path), patience, uri=False)


def _reading(path: Path, patience: float) -> sqlite3.Connection:
    if not path.exists():
        raise UserError(
            f"There is no {path}: nothing was found out yet. "
            'Try lmmscope ask "what does feature 12 respond to?"'
        )
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = _connected(address, patience, uri=True)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        connection.close()
        # Even a reader keeps a file beside the database; where it can't, nobody writes either.
        alone = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not alone or path.with_name(f"{path.name}-wal").exists():
            raise
        return _connected(f"{address}&immutable=1", patience, uri=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _connected(address: str, patience: float, *, uri: bool) -> sqlite3.Connection:
    # Transactions are begun and ended by us alone, and a lock of ours keeps threads apart.
    return sqlite3.connect(
        address, timeout=patience, isolation_level=None, check_same_thread=False, uri=uri
    )
