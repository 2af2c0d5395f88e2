"""Toybox pictures with a question and the true answer, to run the target model on.

Knows scenes and questions; nothing of models. What number i is, is fixed for ever.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from sae_core.lmm.adapter import Prompt
from sae_core.training.activations import Conversation
from sae_core.training.conversations import Lazy
from toybox.tags import tagged
from toybox.world_draw import draw_scene
from toybox.world_splits import frozen_hashes, split
from toybox.world_text import LONG_FORMS, SHORT_FORMS, Asker, Question

BARE = 0.25
"""How often a picture is shown without a word, as the paper shows it."""
LONG = 0.3
"""How often a caption, story or list is asked for, where there is a question."""


class ToyboxPictures:
    """The first pictures of a split as a numbered set."""

    def __init__(self, name: str, count: int) -> None:
        self.split, self.count = split(name), count

    @property
    def digest(self) -> str:
        """The split's frozen hash, and how many pictures of it."""
        return f"{frozen_hashes()[self.split.name]}-{self.count}"

    def __len__(self) -> int:
        return self.count

    def picture(self, number: int) -> Image.Image:
        """One of them, which remembers its scene."""
        return tagged(draw_scene(self.split.scene(number)))


class ToyboxConversations(Lazy):
    """The first pictures of a split: a quarter without words, the others with a question."""

    def __init__(self, name: str, count: int, *, bare: float = BARE, seed: int = 0) -> None:
        self.split, self.size, self.bare, self.seed = split(name), count, bare, seed

    def __len__(self) -> int:
        return self.size

    def one(self, index: int) -> Conversation:
        """The conversation about a picture of the split."""
        rng = np.random.default_rng((61, self.seed, self.split.stream, index))
        scene = self.split.scene(index)
        shown = (tagged(draw_scene(scene)),)
        if rng.random() < self.bare:
            return Conversation(Prompt(shown, ""))
        asked = self._question(Asker(scene, rng, honest=True), rng)
        return Conversation(Prompt(shown, asked.text), asked.answer)

    def _question(self, asker: Asker, rng: np.random.Generator) -> Question:
        while True:
            if rng.random() < LONG:
                form = LONG_FORMS[int(rng.integers(len(LONG_FORMS)))]
            else:
                form = SHORT_FORMS[int(rng.integers(len(SHORT_FORMS)))][0]
            found = getattr(asker, form)()
            if found is not None:
                return found
