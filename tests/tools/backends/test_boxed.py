"""How a detector and a segmenter work together, whatever models they are."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sae_core.errors import UserError
from tools.backends.boxed import Boxed, Detection, detection_of, prompt_of
from tools.regions import Box


class Detector:
    """Finds a box as wide as the prompt is long, unless asked for ghosts."""

    identity = "detector"

    def __init__(self):
        self.batches = []

    def detect(self, pictures, prompts):
        self.batches.append([picture.size for picture in pictures])
        return [
            Detection((), ())
            if prompt == "ghost."
            else Detection((Box(0, 0, len(prompt), 2),), (0.7,))
            for prompt in prompts
        ]


class Segmenter:
    """All pixels of the boxes."""

    identity = "segmenter"

    def union(self, picture, boxes):
        mask = np.zeros((picture.height, picture.width), bool)
        for box in boxes:
            mask[box.top : box.bottom, box.left : box.right] = True
        return mask


def blank(width=20, height=10):
    return Image.new("RGB", (width, height))


def test_each_label_is_sought_in_the_picture_of_the_same_place():
    sizes = [(20, 10), (30, 10), (20, 10)]
    located = Boxed(Detector(), Segmenter()).locate([blank(*s) for s in sizes], ["a", "bb", "ccc"])
    assert [one.boxes[0].right for one in located] == [2, 3, 4]
    assert [one.mask_HW.shape[::-1] for one in located] == sizes
    assert [one.mask_HW.sum() for one in located] == [4, 6, 8]


def test_only_pictures_of_one_size_share_a_batch():
    detector = Detector()
    pictures = [blank(20), blank(30), blank(20), blank(20)]
    Boxed(detector, Segmenter(), batch=2).locate(pictures, ["a"] * 4)
    assert detector.batches == [[(20, 10), (20, 10)], [(20, 10)], [(30, 10)]]


def test_what_is_not_found_has_an_empty_mask_and_no_box():
    located = Boxed(Detector(), Segmenter()).locate([blank()], ["Ghost"])[0]
    assert (located.mask_HW.shape, located.mask_HW.any(), located.boxes) == ((10, 20), False, ())


@pytest.mark.parametrize(
    ("label", "prompt"),
    [
        ("Red car", "red car."),
        ("  red \n car . ", "red car."),
        ("a U.S. flag", "a u s flag."),
        ("cat. dog? everything", "cat dog everything."),
    ],
)
def test_a_label_is_one_phrase_in_lower_case(label, prompt):
    assert prompt_of(label) == prompt


@given(st.text())
def test_a_prompt_has_one_full_stop_whatever_the_label(label):
    try:
        prompt = prompt_of(label)
    except UserError:
        return
    assert prompt.count(".") == 1
    assert prompt.endswith(".")
    assert "?" not in prompt


def test_a_label_without_words_is_refused():
    with pytest.raises(UserError, match=r"The label ' \. ' names nothing"):
        prompt_of(" . ")


def test_a_box_is_as_sure_as_its_surest_token():
    logits = torch.tensor([[-9.0, 0.0], [2.0, -torch.inf], [-9.0, -0.9]])
    boxes = torch.tensor([[0.5, 0.5, 1.0, 1.0], [0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]])
    found = detection_of(logits, boxes, (20, 10), threshold=0.3)
    assert found.boxes == (Box(0, 0, 10, 5), Box(0, 0, 20, 10))
    assert found.scores == pytest.approx(torch.tensor([2.0, 0.0]).sigmoid().tolist())


SHARES = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(SHARES, SHARES, SHARES, SHARES), min_size=1, max_size=5))
def test_boxes_lie_in_their_picture_and_are_not_empty(shares):
    found = detection_of(torch.zeros(len(shares), 1), torch.tensor(shares), (17, 9), threshold=0.3)
    for box in found.boxes:
        assert 0 <= box.left < box.right <= 17
        assert 0 <= box.top < box.bottom <= 9
