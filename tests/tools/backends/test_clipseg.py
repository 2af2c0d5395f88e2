"""Masks are the model's own, boxes hold their pieces, and a picture is looked at once."""

import numpy as np
import pytest
import torch
from PIL import Image

from tests.sae_core.small_models import noise
from tests.tools.backends.small_grounders import clipseg as small_clipseg
from tools.backends.clipseg import SPECK, ClipSeg
from tools.regions import Box


@pytest.fixture
def grounder():
    return ClipSeg(*small_clipseg(), "tiny")


def drawing(grounder, monkeypatch, *blocks):
    """The model sees these blocks of its 32 x 32 pixels, each as sure as its number says."""
    logits = torch.full((32, 32), -9.0)
    for box, sure in blocks:
        logits[box.top : box.bottom, box.left : box.right] = sure
    monkeypatch.setattr(grounder, "_decode", lambda seen, _: logits.expand(len(seen), 32, 32))


def test_masks_are_those_of_the_model_itself(grounder):
    pictures, labels = [noise(32, 32), noise(32, 32, 1)], ["red car", "a tree"]
    inputs = grounder.processor(images=pictures, text=labels, padding=True, return_tensors="pt")
    with torch.inference_mode():
        wanted = grounder.model(**inputs).logits.sigmoid() > 0.5
    for located, mask in zip(grounder.locate(pictures, labels), wanted.numpy(), strict=True):
        # Specks are left out, so nothing is there that the model did not draw.
        assert located.mask_HW.any()
        assert not (located.mask_HW & ~mask).any()
        assert (mask & ~located.mask_HW).sum() < 0.2 * mask.sum()


def test_pieces_come_with_boxes_and_scores_the_surest_first(grounder, monkeypatch):
    left, right = Box(2, 3, 10, 12), Box(20, 20, 30, 31)
    drawing(grounder, monkeypatch, (left, 1.0), (right, 3.0))
    located = grounder.locate([noise(32, 32)], ["car"])[0]
    assert located.boxes == (right, left)
    assert located.scores == pytest.approx(torch.tensor([3.0, 1.0]).sigmoid().tolist())
    assert located.mask_HW.sum() == 8 * 9 + 10 * 11


def test_what_is_less_sure_than_the_threshold_is_not_found(grounder, monkeypatch):
    drawing(grounder, monkeypatch, (Box(2, 3, 10, 12), -0.1))
    located = grounder.locate([noise(32, 32)], ["car"])[0]
    assert (located.boxes, located.scores, located.mask_HW.any()) == ((), (), False)


def test_a_speck_is_noise(grounder, monkeypatch):
    drawing(grounder, monkeypatch, (Box(4, 4, 5, 5), 9.0))
    assert SPECK * 32 * 32 > 1
    assert not grounder.locate([noise(32, 32)], ["car"])[0].mask_HW.any()


@pytest.mark.parametrize("size", [(64, 32), (20, 50)])
def test_a_mask_fits_its_picture_whatever_its_shape(grounder, monkeypatch, size):
    drawing(grounder, monkeypatch, (Box(0, 0, 16, 32), 9.0))
    mask = grounder.locate([Image.new("RGB", size)], ["car"])[0].mask_HW
    assert mask.shape == size[::-1]
    assert mask.mean(0).tolist() == [1.0] * (size[0] // 2) + [0.0] * (size[0] // 2)


def test_no_side_of_a_wide_picture_is_cropped_away(grounder):
    wide = np.zeros((32, 96, 3), np.uint8)
    edges = wide.copy()
    edges[:, :16] = edges[:, -16:] = 255
    black, white = (grounder._look([Image.fromarray(pixels)])[0] for pixels in (wide, edges))
    assert not torch.allclose(black, white)


def test_a_picture_is_looked_at_once_for_all_labels(grounder, monkeypatch):
    picture = noise(32, 32)
    grounder.locate([picture], ["car"])
    monkeypatch.setattr(grounder.model.clip, "get_image_features", None)
    assert len(grounder.locate([picture] * 3, ["tree", "red cat", "car"])) == 3


def test_a_mask_does_not_depend_on_what_else_is_asked(grounder):
    together = grounder.locate([noise(32, 32), noise(32, 32, 1)], ["car", "a picture of a cat"])
    alone = grounder.locate([noise(32, 32)], ["car"])
    assert np.array_equal(together[0].mask_HW, alone[0].mask_HW)


def test_the_threshold_is_part_of_the_identity(grounder):
    assert grounder.identity == "tiny at 0.5"


def test_a_saved_model_is_loaded_from_its_folder(grounder, tmp_path):
    grounder.model.save_pretrained(tmp_path)
    grounder.processor.save_pretrained(tmp_path)
    loaded, asked = ClipSeg.load(tmp_path), ([noise(32, 32)], ["red car"])
    assert np.array_equal(loaded.locate(*asked)[0].mask_HW, grounder.locate(*asked)[0].mask_HW)
