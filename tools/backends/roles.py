"""What a grounder, a CLIP and an editor of pictures can do, whichever model is behind them.

Knows the protocols; nothing of models. The protocol of explainer, judge and planner is in
`tools.backends.chat`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from tools.regions import Box


class Located(NamedTuple):
    """Where a label is in a picture; nothing at all if it is not."""

    mask_HW: np.ndarray
    """bool, the union over all places."""
    boxes: tuple[Box, ...]
    scores: tuple[float, ...]
    """How sure the model is of each box, 0 to 1."""


class Grounder(Protocol):
    """Finds what a text names in a picture."""

    @property
    def identity(self) -> str:
        """Which model this is, with which thresholds."""
        ...

    def locate(self, pictures: Sequence[Image.Image], labels: Sequence[str]) -> list[Located]:
        """Each label in the picture of the same place; the same picture may come many times."""
        ...


class PictureText(Protocol):
    """Compares pictures with texts."""

    @property
    def identity(self) -> str:
        """Which model this is."""
        ...

    def of_pictures(self, pictures: Sequence[Image.Image]) -> Tensor:
        """float32 embeddings of length 1 [N, E]."""
        ...

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """float32 embeddings of length 1 [N, E]."""
        ...


class PictureEditor(Protocol):
    """Changes a picture as words say."""

    @property
    def identity(self) -> str:
        """Which model this is."""
        ...

    async def edited(self, picture: Image.Image, words: str) -> Image.Image:
        """The picture with that change, as large as it was."""
        ...

    def edits(self, picture: Image.Image) -> Sequence[str] | None:
        """The words of each edit that it can make of this picture; None if it takes any words."""
        ...

    def others(self, picture: Image.Image, words: str) -> Sequence[str]:
        """Edits of something else in this picture, to compare with; none where nobody can say."""
        ...
