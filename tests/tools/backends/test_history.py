"""What a model says of a picture is the same to the last bit, whatever it was asked before.

So a resumed run, several workers and one process come to the same findings.
"""

import numpy as np
import pytest
import torch

from lmmscope import wiring
from lmmscope.settings import load_settings
from tools.backends.clip import Clip
from tools.backends.clipseg import ClipSeg
from toybox.numbered import ToyboxPictures

LABELS = ("a red car", "umbrella", "the word zoo", "a beach in the evening")
ASKED = ((4, 1), (0,), (2, 9, 7, 4, 3), (8, 5, 6), (1, 0))


@pytest.fixture(scope="module")
def pictures():
    shown = ToyboxPictures("validate", 10)
    return [shown.picture(number) for number in range(10)]


def test_embeddings(pictures):
    folder = wiring.model_folder(load_settings("toybox").models.clip)
    whole = Clip.load(folder).of_pictures(pictures)
    other = Clip.load(folder)
    for numbers in ASKED:
        found = other.of_pictures([pictures[n] for n in numbers])
        assert torch.equal(found, whole[list(numbers)])


def test_places(pictures):
    folder = wiring.model_folder(load_settings("toybox").models.grounder)
    labels = [LABELS[n % len(LABELS)] for n in range(len(pictures))]
    whole = ClipSeg.load(folder).locate(pictures, labels)
    other = ClipSeg.load(folder)
    for numbers in ASKED:
        found = other.locate([pictures[n] for n in numbers], [labels[n] for n in numbers])
        for number, one in zip(numbers, found, strict=True):
            assert one.scores == whole[number].scores
            assert np.array_equal(one.mask_HW, whole[number].mask_HW)
