"""What features are called: searched by words.

Knows the protocol, and a search of a few known labels; a store of findings follows it too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

_EMPTY = {"a", "an", "the"}
_WORD = re.compile(r"[^\W_]+")


class Match(NamedTuple):
    """A feature whose label fits some words."""

    feature: int
    label: str
    score: float
    """How well it fits, 0 to 1."""


class Labels(Protocol):
    """The labels of features."""

    def search(self, words: str, count: int) -> Sequence[Match]:
        """The labels that fit best, best first; none that does not fit at all."""
        ...


class KnownLabels:
    """A feature's label by its number, found by the words that it shares with what is asked."""

    def __init__(self, labels: Mapping[int, str]) -> None:
        self._labels = dict(labels)

    def search(self, words: str, count: int) -> list[Match]:
        """Scored by the share of words in both among those in either; endings of plurals go."""
        asked = _words(words)
        found = [
            Match(feature, label, len(asked & own) / len(asked | own))
            for feature, label in self._labels.items()
            if (own := _words(label)) & asked
        ]
        return sorted(found, key=lambda match: (-match.score, match.feature))[:count]


def _words(text: str) -> set[str]:
    found = _WORD.findall(text.casefold())
    return {word.removesuffix("s") if len(word) > 3 else word for word in found} - _EMPTY
