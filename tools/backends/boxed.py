"""A grounder of two models: one puts boxes around what a text names, one finds the pixels in them.

Knows the two protocols, and how texts are put for detectors of the Grounding DINO kind; nothing of
the models.

Shapes: N boxes, Q queries, T tokens of a text, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from sae_core.errors import UserError
from tools.backends.roles import Located
from tools.regions import Box

THRESHOLD = 0.3
"""How sure the detector must be of a box; the published pipeline's."""
BOXES = 64
"""How many boxes a segmenter takes at once."""


class Detection(NamedTuple):
    """Where a text may be in a picture, the surest first."""

    boxes: tuple[Box, ...]
    scores: tuple[float, ...]


class Detector(Protocol):
    """Puts boxes around what texts name."""

    @property
    def identity(self) -> str:
        """Which model this is, with its threshold."""
        ...

    def detect(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[Detection]:
        """Each prompt in the picture of the same place; all pictures have one size."""
        ...


class Segmenter(Protocol):
    """Finds the pixels of what a box holds."""

    @property
    def identity(self) -> str:
        """Which model this is."""
        ...

    def union(self, picture: Image.Image, boxes: Sequence[Box]) -> np.ndarray:
        """The pixels of all boxes' things [H, W]; there is at least one box."""
        ...


def union_of(
    picture: Image.Image, boxes: Sequence[Box], drawn: Callable[[Sequence[Box]], np.ndarray]
) -> np.ndarray:
    """What is drawn for all boxes together [H, W], so many at once as memory is reckoned for."""
    mask_HW = np.zeros((picture.height, picture.width), bool)
    for at in range(0, len(boxes), BOXES):
        mask_HW |= drawn(boxes[at : at + BOXES])
    return mask_HW


class Boxed:
    """A Grounder."""

    def __init__(self, detector: Detector, segmenter: Segmenter, batch: int = 8) -> None:
        self.detector, self.segmenter, self._batch = detector, segmenter, batch

    @property
    def identity(self) -> str:
        """Both models."""
        return f"{self.detector.identity} and {self.segmenter.identity}"

    def locate(self, pictures: Sequence[Image.Image], labels: Sequence[str]) -> list[Located]:
        """Each label in the picture of the same place."""
        prompts = [prompt_of(label) for label in labels]
        detected: dict[int, Detection] = {}
        for places in self._batches(pictures):
            found = self.detector.detect(
                [pictures[place] for place in places], [prompts[place] for place in places]
            )
            detected |= zip(places, found, strict=True)
        return [
            Located(self._mask(picture, detected[place]), *detected[place])
            for place, picture in enumerate(pictures)
        ]

    def _batches(self, pictures: Sequence[Image.Image]) -> Iterator[list[int]]:
        """Places of pictures of one size: the border that makes others equal changes the boxes."""
        by_size: dict[tuple[int, int], list[int]] = {}
        for place, picture in enumerate(pictures):
            by_size.setdefault(picture.size, []).append(place)
        for places in by_size.values():
            for at in range(0, len(places), self._batch):
                yield places[at : at + self._batch]

    def _mask(self, picture: Image.Image, found: Detection) -> np.ndarray:
        if not found.boxes:
            return np.zeros((picture.height, picture.width), bool)
        return self.segmenter.union(picture, found.boxes)


def prompt_of(label: str) -> str:
    """The label as one phrase: in lower case, with the only full stop at its end.

    A full stop or question mark within would begin another phrase, to be looked for by itself.
    """
    phrase = " ".join(label.lower().replace(".", " ").replace("?", " ").split())
    if not phrase:
        raise UserError(f"The label {label!r} names nothing to look for. Give it words")
    return f"{phrase}."


def detection_of(
    logit_QT: Tensor, box_Q4: Tensor, size: tuple[int, int], threshold: float
) -> Detection:
    """The queries that any token of the text is sure of; boxes come as shares, by their centres."""
    width, height = size
    sure_Q, box_Q4 = logit_QT.float().sigmoid().amax(-1).cpu(), box_Q4.float().cpu()
    kept = [q for q in sure_Q.argsort(descending=True).tolist() if sure_Q[q] > threshold]
    found = [(_box(box_Q4[q].tolist(), width, height), float(sure_Q[q])) for q in kept]
    whole = [(box, sure) for box, sure in found if box.right > box.left and box.bottom > box.top]
    return Detection(tuple(box for box, _ in whole), tuple(sure for _, sure in whole))


def _box(shares: Sequence[float], width: int, height: int) -> Box:
    x, y, wide, high = shares
    left, right = (x - wide / 2) * width, (x + wide / 2) * width
    top, bottom = (y - high / 2) * height, (y + high / 2) * height
    return Box(
        max(0, int(np.floor(left))),
        max(0, int(np.floor(top))),
        min(width, int(np.ceil(right))),
        min(height, int(np.ceil(bottom))),
    )
