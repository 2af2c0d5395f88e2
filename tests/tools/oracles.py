"""A grounder and a CLIP that know what toybox pictures show, and a judge that knows the label."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from tools.backends.chat import ChatReply
from tools.backends.roles import Located
from tools.regions import box_of
from toybox.tags import KEY, scene_of
from toybox.vocabulary import CONCEPTS
from toybox.world_draw import draw_scene

BY_LABEL = {concept.label: concept for concept in CONCEPTS}


class Seen(NamedTuple):
    """What a picture shows."""

    masks: dict
    concepts: frozenset


@cache
def seen(tag):
    drawn = draw_scene(scene_of_tag(tag))
    concepts = frozenset(drawn.concepts())
    return Seen({concept.label: drawn.mask(concept) for concept in concepts}, concepts)


def scene_of_tag(tag):
    carrier = Image.new("RGB", (1, 1))
    carrier.info[KEY] = tag
    return scene_of(carrier)


class OracleGrounder:
    """Exact masks; what is no concept is nowhere."""

    identity = "oracle"

    def locate(self, pictures, labels):
        return [self._one(*pair) for pair in zip(pictures, labels, strict=True)]

    def _one(self, picture, label):
        nowhere = np.zeros(picture.size[::-1], bool)
        mask = seen(picture.info[KEY]).masks.get(label, nowhere)
        return Located(mask, (box_of(mask),), (0.9,)) if mask.any() else Located(mask, (), ())


class OracleClip:
    """A picture points where its concepts do together, and a little to where other texts do."""

    identity = "oracle"

    def of_pictures(self, pictures):
        shown = [seen(picture.info[KEY]).concepts for picture in pictures]
        rows = [[*(float(concept in some) for concept in CONCEPTS), 0.5] for some in shown]
        return torch.nn.functional.normalize(torch.tensor(rows), dim=-1)

    def of_texts(self, texts):
        rows = [
            [*(float(one == text) for one in BY_LABEL), float(text not in BY_LABEL)]
            for text in texts
        ]
        return torch.tensor(rows)


class Judge:
    """Says 1 to explanations that hold the label, else 0; or the same to all."""

    name = identity = "judge"

    def __init__(self, label=None, always=None):
        self.label, self.always = label, always

    async def reply(self, request):
        agrees = self.always or str(int(str(self.label) in request.messages[-1].text))
        return ChatReply(text=agrees, model=self.name)
