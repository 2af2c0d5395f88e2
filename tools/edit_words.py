"""Words for an edit after which a concept is in a picture, or is not any more.

An editor that takes any words is told so. Of one that lists its edits, those are tried that name
the concept, in the words that few of its edits have; what takes it away names it nowhere, so one of
each sort is drawn, and those are tried that change the picture where the concept is seen. Knows
words and pictures; what an edited picture shows is for a grounder to say.

Shapes: H x W the picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from tools.asking import prompt

Change = Literal["add", "remove"]
TRIED = 2
"""So many edits of a picture are looked at."""
_WORD = re.compile(r"\w+")


def asking_for(change: Change, concept: str) -> str:
    """The edit, for whoever takes any words."""
    return prompt("edit").render(change=change.capitalize(), concept=concept)


def naming(listed: Sequence[str], concept: str, rng: np.random.Generator) -> list[str]:
    """Some of the edits that name the concept best; none if none does."""
    asked = _words(concept)
    words = [_words(one) for one in listed]
    common = Counter(word for some in words for word in some)
    weight_N = np.array([sum(1 / common[word] for word in some & asked) for some in words])
    if not weight_N.any():
        return []
    # Summed in another order, equal weights differ in their last places.
    (best_N,) = np.nonzero(np.isclose(weight_N, weight_N.max()))
    return [listed[at] for at in rng.permutation(best_N)[:TRIED]]


def of_each_sort(listed: Sequence[str], rng: np.random.Generator) -> list[str]:
    """One edit of each sort: those of a sort differ in their last word alone."""
    sorts: dict[str, list[str]] = {}
    for one in listed:
        sorts.setdefault(one.rpartition(" ")[0], []).append(one)
    return [some[int(rng.integers(len(some)))] for some in sorts.values()]


def touching(changed: Sequence[np.ndarray], place_HW: np.ndarray) -> list[int]:
    """Which changes are made most where the concept is, and least elsewhere, by their number."""
    overlap = [
        float((one_HW & place_HW).sum() / max(1, (one_HW | place_HW).sum())) for one_HW in changed
    ]
    order = np.argsort(-np.array(overlap), kind="stable")[:TRIED].tolist()
    return [at for at in order if overlap[at] > 0]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
