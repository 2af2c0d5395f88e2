"""What features are called: searched by words.

Knows the protocol, and a search of a few known labels; a store of findings follows it too, and
tells what was found out besides.
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
    finding: str | None = None
    """The finding that it comes from, with its status and summary; None: it was given."""
    status: str | None = None
    summary: str = ""


class Known(NamedTuple):
    """A finding that fits some words."""

    finding: str
    feature: int | None
    """None: it is about the model's behaviour."""
    status: str
    label: str | None
    category: str | None
    summary: str
    score: float
    """The share of the words that it has; 1 where there were none."""


class Labels(Protocol):
    """The labels of features, and what else is known of them."""

    def search(self, words: str, count: int) -> Sequence[Match]:
        """The labels that fit best, best first; none that does not fit at all."""
        ...

    def known(
        self,
        words: str | None = None,
        *,
        status: str | None = None,
        feature: int | None = None,
        count: int = 10,
    ) -> Sequence[Known]:
        """The findings that fit best, best first; without words the newest."""
        ...


class KnownLabels:
    """A feature's label by its number, found by the words that it shares with what is asked."""

    def __init__(self, labels: Mapping[int, str]) -> None:
        self._labels = dict(labels)

    def search(self, words: str, count: int) -> list[Match]:
        """Scored by the share of words in both among those in either; endings of plurals go."""
        asked = words_of(words)
        found = [
            Match(feature, label, len(asked & own) / len(asked | own))
            for feature, label in self._labels.items()
            if (own := words_of(label)) & asked
        ]
        return sorted(found, key=lambda match: (-match.score, match.feature))[:count]

    def known(self, *_: object, **__: object) -> list[Known]:
        """None: these labels were given, nobody has found them out."""
        return []


def words_of(text: str) -> set[str]:
    """The words that count, without case and endings of plurals."""
    found = _WORD.findall(text.casefold())
    return {word.removesuffix("s") if len(word) > 3 else word for word in found} - _EMPTY
