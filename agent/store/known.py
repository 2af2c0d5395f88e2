"""What tools may know of earlier findings: those about the features that they work with.

Features of another coder have the same numbers and other meanings, so they stay out. Knows whose
features are meant; nothing of queries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from agent.store.reader import Reader
from tools.labels import Known, Match


class FoundOut:
    """The findings about one coder's features, as `tools.labels.Labels`."""

    def __init__(self, store: Reader | Path, coder: Callable[[], str]) -> None:
        """A store, or a runs folder that is opened when something is first asked.

        `coder` gives the coder's digest, which may take a model to be loaded.
        """
        self._store, self._coder, self._opening = store, coder, Lock()

    def search(self, words: str, count: int) -> list[Match]:
        """Features whose supported labels fit best."""
        store = self._opened()
        return [] if store is None else store.search(words, count, coder=self._coder())

    def known(
        self,
        words: str | None = None,
        *,
        status: str | None = None,
        feature: int | None = None,
        count: int = 10,
    ) -> list[Known]:
        """The findings that stand, those that fit best first."""
        store = self._opened()
        if store is None:
            return []
        return store.known(words, status=status, feature=feature, count=count, coder=self._coder())

    def _opened(self) -> Reader | None:
        """The store; None while nothing was ever found out."""
        with self._opening:
            if isinstance(self._store, Path) and (self._store / "findings.db").exists():
                self._store = Reader(self._store)
            return None if isinstance(self._store, Path) else self._store
