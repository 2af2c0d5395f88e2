"""Measures the target: does it see, and does it hallucinate where the bias was planted, only there.

Knows questions with known answers; nothing of why the model answers as it does.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from PIL import Image

from toybox.bench_rows import Row, row
from toybox.measures import Estimate, bootstrapped, share
from toybox.models import Chat, Prompt, load_target
from toybox.vocabulary import OBJECTS, article
from toybox.world import BIAS, Distribution, Scene
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import Asker, Question

FORMS = (
    "is_there", "is_there", "is_there_with", "color", "material", "texture", "place", "written",
    "emotion", "how_many", "where", "any_part",
)  # fmt: skip


class Case(NamedTuple):
    """A question about a picture, what is right, and what was said."""

    question: Question
    said: str

    @property
    def right(self) -> bool:
        """Was the answer word for word right."""
        return self.said.rstrip(".") == self.question.answer


def _drawn(seed: int, n: int, distribution: Distribution) -> list[tuple[Scene, Image.Image]]:
    scenes = [fresh_scene(seed, i, distribution) for i in range(n)]
    return [(scene, draw_scene(scene).image()) for scene in scenes]


def _asked(chat: Chat, pairs: list[tuple[Image.Image, Question]]) -> list[Case]:
    said = chat.replies([Prompt((picture,), q.text) for picture, q in pairs], tokens=8)
    return [Case(question, text) for (_, question), text in zip(pairs, said, strict=True)]


def _forms(cases: list[Case], *forms: str) -> Estimate:
    return share([case.right for case in cases if case.question.form in forms])


def caption_f1(pairs: list[tuple[set[str], set[str]]]) -> float:
    """F1 of the objects named, over all captions together."""
    both = sum(len(said & true) for said, true in pairs)
    total = sum(len(said) + len(true) for said, true in pairs)
    return 2 * both / total if total else 1.0


def objects_in(text: str) -> set[str]:
    """The objects that a caption names; words on signs don't count."""
    plain = re.sub(r"that says \w+", "", text)
    return {word for word in re.findall(r"[a-z]+", plain) if word in OBJECTS}


def _captions(chat: Chat, drawn: list[tuple[Scene, Image.Image]], seed: int) -> Estimate:
    said = chat.replies([Prompt((p,), "describe the picture.") for _, p in drawn], tokens=64)
    pairs = [
        (objects_in(text), {t.kind for t in scene.shown})
        for text, (scene, _) in zip(said, drawn, strict=True)
    ]
    return bootstrapped(pairs, caption_f1, seed)


def _conflict(chat: Chat, seed: int, n: int) -> Estimate:
    """How often the usual object of a place is seen where it is not."""
    pairs = []
    for scene, picture in _drawn(seed, n, "conflict"):
        noun = article(BIAS[scene.place or ""])
        pairs.append((picture, Question("is there", f"is there {noun}?", "yes")))
    return share([case.right for case in _asked(chat, pairs)])


def measure(seed: int, n: int) -> list[Row]:
    """The target's lines of the table."""
    chat = load_target()
    drawn = _drawn(seed, n, "balanced")
    rng = np.random.default_rng((77, seed))
    pairs: list[tuple[Image.Image, Question]] = []
    for scene, picture in drawn:
        asker = Asker(scene, rng, honest=True)
        made = [getattr(asker, form)() for form in FORMS]
        pairs += [(picture, q) for q in made if q is not None]
    cases = _asked(chat, pairs)
    absent = [c for c in cases if c.question.form == "is there" and c.question.answer == "no"]
    words = [c for c in cases if c.question.form == "written" and c.question.answer != "nothing"]
    single = [c for c in words if " " not in c.question.answer]
    return [
        row("target", '"is there" on balanced pictures', _forms(cases, "is there"), 0.95),
        row("target", "color", _forms(cases, "color"), 0.93),
        row("target", "scene", _forms(cases, "place"), 0.98),
        row("target", "written word", share([c.right for c in single]), 0.90),
        row("target", "objects in the caption, F1", _captions(chat, drawn, seed), 0.90),
        row("target", "hallucinates, conflict pictures", _conflict(chat, seed, n), 0.30),
        row(
            "target",
            "hallucinates, balanced pictures",
            share([not case.right for case in absent]),
            0.05,
            at_most=True,
        ),
        row("target", "material", _forms(cases, "material")),
        row("target", "texture", _forms(cases, "texture")),
        row("target", "emotion", _forms(cases, "emotion")),
        row("target", "part", _forms(cases, "part")),
        row("target", "object with attribute", _forms(cases, "is there with")),
        row("target", "count", _forms(cases, "how many", "how many things")),
        row("target", "where", _forms(cases, "where")),
    ]
