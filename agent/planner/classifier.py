"""What a request asks for, learnt from examples: ridge regression over words, pairs and letters.

With two thousand examples this is solved exactly in about a second, once. Knows texts and names of
classes; nothing of what these mean.

Shapes: N examples, D features of texts, C classes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

RIDGE = 1.0
_TOKEN = re.compile(r"<\w+>|[a-z]+(?:['-][a-z]+)*|\d+|[?!]+|[*+=^%]")
_WEIGHTS = {"word": 1.0, "pair": 0.9, "group": 1.0, "letters": 1.0, "order": 0.5}
"""How much each kind of features counts; within a kind, rare ones count more."""
_COMMON = ("pair", "letters")
"""Of these kinds there are many, and one that only one example has teaches little."""
_CONSTANT = 0.5


class Ranked(NamedTuple):
    """A class, and how well a text fits it: about 1 for its examples, 0 for others."""

    name: str
    score: float


class Classifier:
    """Learnt when it is made."""

    def __init__(
        self, examples: Mapping[str, Sequence[str]], groups: Mapping[str, Iterable[str]]
    ) -> None:
        self.names = tuple(examples)
        self._groups: dict[str, list[str]] = {}
        for name, words in groups.items():
            for stem in {_stem(word) for word in words}:
                self._groups.setdefault(stem, []).append(name)
        found = [self._found(text) for text in chain.from_iterable(examples.values())]
        self._learn_words(found)
        x_ND = np.stack([self._vector(one) for one in found])
        class_N = np.repeat(np.arange(len(examples)), [len(some) for some in examples.values()])
        wanted_NC = np.eye(len(examples), dtype=np.float32)[class_N]
        kernel_NN = x_ND @ x_ND.T + RIDGE * np.eye(len(found), dtype=np.float32)
        self._weights_DC = x_ND.T @ np.linalg.solve(kernel_NN, wanted_NC)

    def ranked(self, text: str) -> list[Ranked]:
        """All classes, the one that fits best first."""
        score_C = self._vector(self._found(text)) @ self._weights_DC
        return [Ranked(self.names[c], float(score_C[c])) for c in np.argsort(-score_C)]

    def _learn_words(self, found: Sequence[Mapping[str, set[str]]]) -> None:
        """Give each feature its place in vectors and its weight."""
        self._place: dict[tuple[str, str], int] = {}
        rarity: list[float] = []
        for kind in _WEIGHTS:
            counts = Counter(chain.from_iterable(one[kind] for one in found))
            for feature, count in counts.items():
                if count > 1 or kind not in _COMMON:
                    self._place[kind, feature] = len(rarity)
                    rarity.append(np.log((1 + len(found)) / count))
        self._rarity_D = np.array(rarity, np.float32)

    def _found(self, text: str) -> dict[str, set[str]]:
        """The features of each kind."""
        tokens = _TOKEN.findall(text.lower())
        words = [token for token in tokens if token[0].isalpha()]
        groups = [name for word in words for name in self._groups.get(_stem(word), ())]
        marks = [token for token in tokens if token[0] == "<"] or ["<nothing>"]
        return {
            "word": set(tokens),
            "pair": {f"{one} {other}" for one, other in pairwise(["^", *tokens, "$"])},
            "group": {*groups, *(f"{group} {mark}" for group in groups for mark in marks)},
            "letters": {
                padded[at : at + size]
                for padded in (f"_{word}_" for word in words)
                for size in (3, 4, 5)
                for at in range(len(padded) - size + 1)
            },
            "order": {*marks, *(f"{one} {other}" for one, other in pairwise(groups))},
        }

    def _vector(self, found: Mapping[str, set[str]]) -> np.ndarray:
        """Each kind of features scaled to its weight, and a constant."""
        vector_D = np.zeros(len(self._rarity_D) + 1, np.float32)
        vector_D[-1] = _CONSTANT
        for kind, weight in _WEIGHTS.items():
            known = [self._place[kind, one] for one in found[kind] if (kind, one) in self._place]
            if known:
                rarity_K = self._rarity_D[known]
                vector_D[known] = rarity_K * (weight / np.linalg.norm(rarity_K))
        return vector_D


def _stem(word: str) -> str:
    """Without the ending that changes with number and tense."""
    return word if len(word) < 5 else re.sub(r"(?:ings?|ies|ied|es|ed|e|s|ly|y)$", "", word)
