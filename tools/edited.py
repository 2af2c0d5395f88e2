"""Pictures that an editor changed: how they are made, what fires on them, what is seen in them.

Knows pictures, features and concepts; nothing of why a picture is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from tools import panel
from tools.asking import together
from tools.attempts import differing
from tools.failures import ToolFailure
from tools.lab import Lab
from tools.observing import seen


class Try(NamedTuple):
    """A picture after one edit."""

    picture: int
    """Its number in the split."""
    words: str
    """The edit, as the editor was told it."""
    image: Image.Image


async def tries(lab: Lab, number: int, picture: Image.Image, words: Sequence[str]) -> list[Try]:
    """The edits that can be made, and seen; a failure if none can be made."""
    images = await together(lab.editor.edited(picture, one) for one in words)
    return [
        Try(number, one, image)
        for one, image in zip(words, images, strict=True)
        if not isinstance(image, ToolFailure) and differing(picture, image).any()
    ]


def sure_of(
    lab: Lab, images: Sequence[Image.Image], concepts: Sequence[str]
) -> list[dict[str, float]]:
    """How sure the grounder is of each concept in each picture, 0 to 1."""
    pairs = [(image, concept) for image in images for concept in concepts]
    located = lab.grounder.locate([image for image, _ in pairs], [label for _, label in pairs])
    surest = [panel.settled(max(one.scores, default=0.0)) for one in located]
    size = len(concepts)
    return [
        dict(zip(concepts, surest[at * size : (at + 1) * size], strict=True))
        for at in range(len(images))
    ]


def fires_on(lab: Lab, feature: int, images: Sequence[Image.Image]) -> list[bool]:
    """Whether a feature fires anywhere on each of some pictures."""
    asked, lit = torch.tensor([feature]), []
    for batch in seen(lab.observer, images):
        values_BP = batch.code.of(asked.to(batch.code.values_NK.device)).flatten(1)
        lit += (values_BP > 0).any(1).tolist()
    return lit
