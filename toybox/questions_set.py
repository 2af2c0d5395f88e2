"""The toybox's own question sets: the planted illness among all kinds of honest questions.

Four questions in turn, each about another picture:
- is the usual object there, of a conflict picture, where it is not;
- any other question about that picture;
- is the usual object there, of a picture like it on which it is;
- any question about a balanced picture, now and then a caption or a list.
Knows scenes and questions; nothing of models. What number i is, is fixed for ever.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from sae_core.errors import UserError
from tools.question_sets import Asked
from toybox.tags import tagged
from toybox.vocabulary import PLACE_PHRASES
from toybox.world import BIAS, Scene, edit
from toybox.world_draw import draw_scene
from toybox.world_splits import frozen_hashes, split
from toybox.world_text import Asker, Question

FORMS = (
    "is_there", "color", "is_there_with", "place", "material", "texture", "any_part", "written",
    "is_place", "any_color", "how_many", "emotion", "is_written",
)  # fmt: skip
LONG_FORMS = ("described", "listed")
LONG = 8
"""One of so many balanced pictures is described or listed."""
VERSION = 1
"""Raised when a number's question changes: then it is another set."""


class _Drawn(NamedTuple):
    scene: Scene
    question: Question
    kind: str


class ToyboxQuestions:
    """The questions on `validate` and `validate-conflict`, or on `test` and `test-conflict`."""

    def __init__(self, name: str, count: int | None = None) -> None:
        if name not in ("validate", "test"):
            raise UserError(f"No toybox questions {name!r}: there are validate and test.")
        self.balanced, self.conflict = split(name), split(f"{name}-conflict")
        most = 4 * self.conflict.size
        self.count = min(count or most, most)

    @property
    def digest(self) -> str:
        """SHA-256 of both splits' frozen hashes, how many questions, and which."""
        hashes = frozen_hashes()
        parts = [hashes[self.balanced.name], hashes[self.conflict.name], self.count, VERSION]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def __len__(self) -> int:
        return self.count

    def asked(self, number: int) -> Asked:
        """The question, with the place as a tag."""
        scene, question, kind = self._drawn(number)
        return Asked(
            question=question.text,
            answer=question.answer,
            kind=kind,
            tags=() if scene.place is None else (PLACE_PHRASES[scene.place],),
        )

    def picture(self, number: int) -> Image.Image:
        """The picture, which remembers its scene."""
        return tagged(draw_scene(self._drawn(number).scene))

    def _drawn(self, number: int) -> _Drawn:
        if not 0 <= number < self.count:
            raise UserError(f"No question {number} in this set: it has {self.count}.")
        at, turn = divmod(number, 4)
        rng = np.random.default_rng((62, self.conflict.stream, number))
        scene = self.conflict.scene(at) if turn < 2 else self.balanced.scene(2 * at + turn % 2)
        if turn == 0:
            return _Drawn(scene, self._usual(scene, rng, "no"), "usual and absent")
        if turn == 2 and (shown := with_usual(scene, at)) is not None:
            return _Drawn(shown, self._usual(shown, rng, "yes"), "usual and there")
        question = _any_question(scene, rng, long=turn == 3 and at % LONG == 0)
        return _Drawn(scene, question, question.form)

    def _usual(self, scene: Scene, rng: np.random.Generator, answer: str) -> Question:
        texts = Asker(scene, rng, honest=True).there(BIAS[scene.place or ""])
        return Question("is there", texts[int(rng.integers(len(texts)))], answer)


def with_usual(scene: Scene, at: int) -> Scene | None:
    """The scene in a biased place, its first thing made the usual one; None if it has no thing."""
    shown = [number for number, thing in enumerate(scene.things) if thing.shown]
    if not shown:
        return None
    place = tuple(BIAS)[at % len(BIAS)]
    return edit(edit(scene, "place", place), f"{shown[0]}.kind", BIAS[place])


def _any_question(scene: Scene, rng: np.random.Generator, *, long: bool) -> Question:
    asker, forms = Asker(scene, rng, honest=True), LONG_FORMS if long else FORMS
    while True:
        found = getattr(asker, forms[int(rng.integers(len(forms)))])()
        # A place's usual object, where it is absent, is the first turn's question.
        usual = BIAS.get(scene.place or "")
        if found is not None and not (found.answer == "no" and f" {usual}" in found.text):
            return found
