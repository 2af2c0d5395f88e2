"""Finds labels by what they mean, with the text part of the profile's CLIP.

Labels are read once and kept in the store; where many are new they are read while one goes on
asking. The model is loaded when it is first wanted. Knows the store and a model that embeds texts;
nothing of pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from agent.store import Reader, Store
from agent.store.vectors import Vectors
from review.hands import Nearest

if TYPE_CHECKING:
    from tools.backends.roles import PictureText

AT_ONCE = 256
"""Labels that are read and kept together."""
PATIENCE = 2.0
"""Seconds that a search waits for labels that are new."""


class LabelMeanings:
    """What the labels in a store mean, `review.hands.Meaning`."""

    def __init__(self, store: Reader, make: Callable[[], PictureText]) -> None:
        self._labelled, self._make_encoder = store, make
        self._one_search, self._read_enough = Lock(), Event()
        self._reader_of_labels: Thread | None = None

    def nearest(self, words: str, count: int) -> Nearest:
        """The labels that mean what is most like these words, of those that were read so far."""
        with self._one_search:
            vectors = self._label_meanings
            self._begin_reading()
            reading = self._reader_of_labels
        if reading:
            reading.join(PATIENCE)
        (asked_D,) = self._encoder.of_texts([words]).numpy()
        return Nearest(vectors.nearest(asked_D, count), len(vectors.missing()))

    def close(self) -> None:
        """Read no further."""
        self._read_enough.set()
        if self._reader_of_labels:
            self._reader_of_labels.join()

    @cached_property
    def _encoder(self) -> PictureText:
        return self._make_encoder()

    @cached_property
    def _label_meanings(self) -> Vectors:
        return Vectors(self._labelled, self._encoder.identity)

    def _begin_reading(self) -> None:
        """Read what is new, unless that goes on already."""
        if self._reader_of_labels and self._reader_of_labels.is_alive():
            return
        new = self._label_meanings.missing()
        self._reader_of_labels = (
            Thread(target=self._read_labels, args=(new,), daemon=True) if new else None
        )
        if self._reader_of_labels:
            self._reader_of_labels.start()

    def _read_labels(self, labels: tuple[str, ...]) -> None:
        with Store(self._labelled.runs) as store:
            for begin in range(0, len(labels), AT_ONCE):
                if self._read_enough.is_set():
                    return
                some = labels[begin : begin + AT_ONCE]
                store.mean(self._encoder.identity, some, self._encoder.of_texts(some).numpy())
