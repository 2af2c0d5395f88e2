"""A benchmark with its data: what is asked, and what the replies come to.

Knows questions, replies and what is right; nothing of models.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from benchmarks.hallucination.asking import Asked
from benchmarks.hallucination.shares import Group, Part


class Task(ABC):
    """What each benchmark has."""

    title: str
    counted: str
    """What it is that is right or wrong."""
    asked: Sequence[Asked]
    tokens: int
    """The longest reply."""
    notes: Sequence[str]

    @property
    @abstractmethod
    def cluster_N(self) -> np.ndarray:
        """What is about the same picture has the same number."""

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """What is compared with and without a recipe, apart."""

    @abstractmethod
    def right_N(self, said: Sequence[str]) -> np.ndarray:
        """Which replies are right."""

    @abstractmethod
    def groups(self, said: Sequence[str], seed: int) -> Sequence[Group]:
        """What the replies come to."""

    @abstractmethod
    def remarks(self, said: Sequence[str]) -> Sequence[str]:
        """What else is to be said about the replies."""
