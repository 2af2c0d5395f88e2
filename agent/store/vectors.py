"""Labels by what they mean: a matrix of one encoder's vectors, kept in memory and up to date.

A scan is enough for the labels of all features of a large coder. Knows vectors; nothing of the
model that made them.
"""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.store.reader import Reader

AT_ONCE = 4096
"""How many vectors are read at a time."""
Matrix = NDArray[np.floating]


class Near(NamedTuple):
    """A label, and how near its meaning is."""

    label: str
    likeness: float
    """The cosine."""


class Vectors:
    """What the labels in a store mean to one encoder."""

    def __init__(self, store: Reader, encoder: str) -> None:
        """`encoder` is the identity of the model that the vectors are of."""
        self._store, self._encoder, self._lock = store, encoder, Lock()
        self._labels: list[str] = []
        self._parts: list[Matrix] = []
        self._read = 0

    def missing(self) -> tuple[str, ...]:
        """Labels of findings that there is no vector of yet."""
        rows = self._store.rows(
            "SELECT DISTINCT label FROM overview WHERE label IS NOT NULL "
            "AND label NOT IN (SELECT label FROM vectors WHERE encoder = ?) ORDER BY label",
            (self._encoder,),
        )
        return tuple(row["label"] for row in rows)

    def nearest(self, vector_D: Matrix, count: int) -> tuple[Near, ...]:
        """The labels that mean what is most like this vector, the nearest first."""
        with self._lock:
            self._catch_up()
            labels, parts = self._labels, list(self._parts)
        asked_D = vector_D.astype(np.float32)
        asked_D /= max(float(np.linalg.norm(asked_D)), 1e-12)
        found = [part_ND @ asked_D for part_ND in parts]
        like_N = np.concatenate(found) if found else np.zeros(0, np.float32)
        count = min(count, len(like_N))
        best = np.argpartition(-like_N, count - 1)[:count] if count else np.zeros(0, int)
        best = best[np.lexsort((best, -like_N[best]))]
        return tuple(Near(labels[n], float(like_N[n])) for n in best)

    def _catch_up(self) -> None:
        """Read the vectors that came in since."""
        while rows := self._store.rows(
            # The plus keeps to the order of numbers; by the encoder's index all would be sorted.
            "SELECT number, label, vector FROM vectors WHERE number > ? AND +encoder = ? "
            "ORDER BY number LIMIT ?",
            (self._read, self._encoder, AT_ONCE),
        ):
            joined = np.frombuffer(b"".join(row["vector"] for row in rows), np.float16)
            self._parts.append(joined.reshape(len(rows), -1).astype(np.float32))
            self._labels += [row["label"] for row in rows]
            self._read = rows[-1]["number"]


def packed(vectors_ND: Matrix) -> list[bytes]:
    """Vectors as the store keeps them: of length 1, in half floats."""
    lengths_N1 = np.linalg.norm(vectors_ND.astype(np.float32), axis=1, keepdims=True)
    units_ND = (vectors_ND / np.maximum(lengths_N1, 1e-12)).astype("<f2")
    return [row_D.tobytes() for row_D in units_ND]
