"""Toybox pictures with a question and the true answer, to run the target model on.

Knows scenes and questions; nothing of models. What number i is, is fixed for ever.
"""

from __future__ import annotations

import numpy as np

from sae_core.lmm.adapter import Prompt
from sae_core.training.activations import Conversation
from sae_core.training.conversations import Lazy
from toybox.numbered import ToyboxPictures
from toybox.tags import tagged
from toybox.world_draw import draw_scene
from toybox.world_splits import split
from toybox.world_text import LONG_FORMS, SHORT_FORMS, Asker, Question

__all__ = ["ToyboxConversations", "ToyboxPictures"]

BARE = 0.25
"""How often a picture is shown without a word, as the paper shows it."""
LONG = 0.3
"""How often a caption, story or list is asked for, where there is a question."""


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
