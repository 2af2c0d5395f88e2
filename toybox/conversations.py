"""Toybox pictures with a question and the true answer, to run the target model on.

Knows scenes and questions; nothing of models. What number i is, is fixed for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from PIL import Image

from sae_core.activations import Conversation
from sae_core.adapter import Prompt
from toybox.tags import tagged
from toybox.world_draw import draw_scene
from toybox.world_splits import split
from toybox.world_text import LONG_FORMS, SHORT_FORMS, Asker, Question

BARE = 0.25
"""How often a picture is shown without a word, as the paper shows it."""
LONG = 0.3
"""How often a caption, story or list is asked for, where there is a question."""


def picture(name: str, number: int) -> Image.Image:
    """A picture of a split."""
    return tagged(draw_scene(split(name).scene(number)))


class ToyboxConversations(Sequence[Conversation]):
    """The first pictures of a split: a quarter without words, the others with a question."""

    def __init__(self, name: str, count: int, *, bare: float = BARE, seed: int = 0) -> None:
        self.split, self.count, self.bare, self.seed = split(name), count, bare, seed

    def __len__(self) -> int:
        return self.count

    @overload
    def __getitem__(self, index: int) -> Conversation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Conversation]: ...
    def __getitem__(self, index: int | slice) -> Conversation | list[Conversation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.count))]
        if not 0 <= index < self.count:
            raise IndexError(index)
        rng = np.random.default_rng((61, self.seed, self.split.stream, index))
        scene = self.split.scene(index)
        shown = (tagged(draw_scene(scene)),)
        if rng.random() < self.bare:
            return Conversation(Prompt(shown, ""))
        asked = self._question(Asker(scene, rng, honest=True), rng)
        return Conversation(Prompt(shown, asked.text), asked.answer)

    def __iter__(self) -> Iterator[Conversation]:
        return (self[i] for i in range(self.count))

    def _question(self, asker: Asker, rng: np.random.Generator) -> Question:
        while True:
            if rng.random() < LONG:
                form = LONG_FORMS[int(rng.integers(len(LONG_FORMS)))]
            else:
                form = SHORT_FORMS[int(rng.integers(len(SHORT_FORMS)))][0]
            found = getattr(asker, form)()
            if found is not None:
                return found
