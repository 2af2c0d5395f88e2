"""Keeps what takes long to load, so that one lab after another can use it.

A program that asks many questions would otherwise load the target anew for each, or hold it twice.
Knows names; nothing of what is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, TypeVar

T = TypeVar("T")


class Shelf:
    """Things by name, for labs of one profile on the same features."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._lock = RLock()

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What is kept under this name, or made now."""
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
            return self._kept[name]
