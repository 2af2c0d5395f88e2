"""Finds labels by what they mean, with the text part of the profile's CLIP.

Labels are read once and kept in the store; where many are new they are read while one goes on
asking. Knows the store, and whom to ask what texts mean; nothing of models or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Lock, Thread

from agent.store import Reader, Store
from agent.store.vectors import Vectors
from lmmscope.bench_place import Meant
from review.hands import Nearest
from sae_core.errors import UserError

AT_ONCE = 256
"""Labels that are read and kept together."""
PATIENCE = 2.0
"""Seconds that a search waits for labels that are new."""


class LabelMeanings:
    """What the labels in a store mean, `review.hands.Meaning`."""

    def __init__(self, store: Reader, meant: Callable[[Sequence[str]], Meant]) -> None:
        self._labelled, self._meant = store, meant
        self._one_search, self._read_enough = Lock(), Event()
        self._reader_of_labels: Thread | None = None
        self._vectors: dict[str, Vectors] = {}
        """By the encoder that they are of."""

    def nearest(self, words: str, count: int) -> Nearest:
        """The labels that mean what is most like these words, of those that were read so far."""
        asked = self._meant([words])
        with self._one_search:
            if asked.encoder not in self._vectors:
                self._vectors[asked.encoder] = Vectors(self._labelled, asked.encoder)
            vectors = self._vectors[asked.encoder]
            self._begin_reading(vectors)
            reading = self._reader_of_labels
        if reading:
            reading.join(PATIENCE)
        (asked_D,) = asked.vectors_ND
        return Nearest(vectors.nearest(asked_D, count), len(vectors.missing()))

    def close(self) -> None:
        """Read no further."""
        self._read_enough.set()
        if self._reader_of_labels:
            self._reader_of_labels.join()

    def _begin_reading(self, vectors: Vectors) -> None:
        """Read what is new, unless that goes on already."""
        if self._reader_of_labels and self._reader_of_labels.is_alive():
            return
        new = vectors.missing()
        self._reader_of_labels = (
            Thread(target=self._read_labels, args=(new,), daemon=True) if new else None
        )
        if self._reader_of_labels:
            self._reader_of_labels.start()

    def _read_labels(self, labels: tuple[str, ...]) -> None:
        with suppress(UserError), Store(self._labelled.runs) as store:  # who asks next is told
            for begin in range(0, len(labels), AT_ONCE):
                if self._read_enough.is_set():
                    return
                some = labels[begin : begin + AT_ONCE]
                found = self._meant(some)
                store.mean(found.encoder, some, found.vectors_ND)
