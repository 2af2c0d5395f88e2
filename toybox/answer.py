"""One question, one picture, one answer by the target model.

Knows how to get a picture and to say where it came from; nothing of training.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from sae_core.errors import UserError
from toybox.models import Prompt, load_target
from toybox.pictures import open_picture
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene
from toybox.world_text import caption


class Answer(NamedTuple):
    """What the target said, about which picture, and what is truly in it ("" for a user's own)."""

    text: str
    question: str
    picture: str
    caption: str
    seconds: float


def answer(
    question: str, *, seed: int | None = None, image: Path | None = None, fit: bool = False
) -> Answer:
    """Ask the target about the toybox picture of a seed (7 where nothing is said), or a file."""
    if not question.strip():
        raise UserError('The question is empty: say for example "is there a red car?".')
    if seed is not None and image is not None:
        raise UserError(f"Both --seed {seed} and --image {image}: give one picture.")
    began = time.monotonic()
    if image is not None:
        picture, name, truth = open_picture(image, fit=fit), str(image), ""
    else:
        seed = 7 if seed is None else seed
        scene = fresh_scene(seed)
        picture, name, truth = draw_scene(scene).image(), f"toybox picture {seed}", caption(scene)
    text = load_target().replies([Prompt((picture,), question)])[0]
    return Answer(text, question, name, truth, time.monotonic() - began)
