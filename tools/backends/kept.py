"""What was computed from pictures, kept by their content, so that a picture is computed once.

Always as many are computed together, the last one again and again where there are too few: in
another batch a sum differs in its last digits, and what is found must not hang on what was kept.
Knows pixels and a function of them; nothing of models. The least recently used go first when there
are too many. Threads may share one: while one computes, the others wait.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

from PIL import Image

V = TypeVar("V")


def content(picture: Image.Image) -> bytes:
    """What names a picture's pixels, as models see them."""
    seen = picture.convert("RGB")
    return hashlib.sha256(b"%d %d " % seen.size + seen.tobytes()).digest()


class Kept(Generic[V]):
    """A function of pictures that remembers."""

    def __init__(
        self, compute: Callable[[list[Image.Image]], Sequence[V]], *, batch: int, limit: int
    ) -> None:
        self._compute, self._batch, self._limit = compute, batch, limit
        self._kept: OrderedDict[bytes, V] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, pictures: Sequence[Image.Image]) -> list[V]:
        """One result for each picture."""
        names = [content(picture) for picture in pictures]
        with self._lock:
            found = {name: self._kept[name] for name in names if name in self._kept}
            new = {n: p for n, p in zip(names, pictures, strict=True) if n not in found}
            for at in range(0, len(new), self._batch):
                some = list(new)[at : at + self._batch]
                shown = [new[name] for name in some]
                shown += shown[-1:] * (self._batch - len(shown))
                found |= zip(some, self._compute(shown), strict=False)
            for name in names:
                self._kept[name] = found[name]
                self._kept.move_to_end(name)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return [found[name] for name in names]
