"""Transformers' Grounding DINO and SAM give what their own processors make of them."""

import numpy as np
import pytest
import torch

from sae_core.weights import named_by_content
from tests.sae_core.small_models import noise
from tests.tools.backends.small_grounders import grounding_dino, sam
from tools.backends.boxed import Boxed
from tools.backends.grounding_dino import GroundingDino, Sam, load
from tools.regions import Box

BOXES = (Box(2, 2, 20, 20), Box(5, 5, 30, 30))


@pytest.fixture
def detector():
    return GroundingDino(*grounding_dino(), "tiny", threshold=0.3)


@pytest.fixture
def segmenter():
    return Sam(*sam(), "tiny")


def test_boxes_are_those_of_the_processor_rounded_outwards(detector):
    picture = noise(40, 30)
    inputs = detector.processor(images=picture, text="red car.", return_tensors="pt")
    with torch.inference_mode():
        out = detector.model(**inputs)
    wanted = detector.processor.post_process_grounded_object_detection(
        out, threshold=0.3, target_sizes=[(30, 40)]
    )[0]
    found = detector.detect([picture], ["red car."])[0]
    assert sorted(found.scores) == pytest.approx(sorted(wanted["scores"].tolist()))
    order = wanted["scores"].argsort(descending=True)
    for box, exact in zip(found.boxes, wanted["boxes"][order].tolist(), strict=True):
        inside = np.clip(exact, 0, [40, 30, 40, 30])
        assert np.abs(inside - np.array(box)).max() < 1


def test_a_pair_does_not_depend_on_what_else_is_asked(detector):
    asked = [noise(40, 40), noise(40, 40, 1)], ["a picture of a red car.", "tree."]
    together = detector.detect(*asked)
    for one, picture, prompt in zip(together, *asked, strict=True):
        alone = detector.detect([picture], [prompt])[0]
        assert one.boxes == alone.boxes
        assert one.scores == pytest.approx(alone.scores, abs=1e-4)


def test_nothing_is_found_above_a_threshold_that_nothing_reaches():
    detector = GroundingDino(*grounding_dino(), "tiny", threshold=1.0)
    assert detector.detect([noise(40, 30)], ["red car."])[0].boxes == ()


def test_masks_are_those_of_the_processor(segmenter):
    picture = noise(40, 30)
    inputs = segmenter.processor(
        images=picture, input_boxes=[[list(map(float, box)) for box in BOXES]], return_tensors="pt"
    )
    inputs["input_boxes"] = inputs["input_boxes"].float()
    sizes = inputs["original_sizes"], inputs["reshaped_input_sizes"]
    with torch.inference_mode():
        out = segmenter.model(
            pixel_values=inputs["pixel_values"],
            input_boxes=inputs["input_boxes"],
            multimask_output=False,
        )
    masks = segmenter.processor.post_process_masks(out.pred_masks, *sizes)[0]
    wanted = masks[:, 0].any(0).numpy()
    assert 0 < wanted.mean() < 1
    assert np.array_equal(segmenter.union(picture, BOXES), wanted)


def test_a_picture_is_looked_at_once_for_all_boxes(segmenter, monkeypatch):
    first = segmenter.union(noise(40, 30), BOXES)
    monkeypatch.setattr(segmenter.model, "get_image_embeddings", None)
    assert np.array_equal(segmenter.union(noise(40, 30), BOXES), first)


def test_more_boxes_than_fit_at_once_are_united(segmenter, monkeypatch):
    whole = segmenter.union(noise(40, 30), BOXES)
    monkeypatch.setattr("tools.backends.boxed.BOXES", 1)
    assert np.array_equal(segmenter.union(noise(40, 30), BOXES), whole)


def test_saved_models_are_loaded_from_their_folders(detector, segmenter, tmp_path):
    for part, folder in ((detector, tmp_path / "dino"), (segmenter, tmp_path / "sam")):
        part.model.save_pretrained(folder)
        part.processor.save_pretrained(folder)
    loaded = load(tmp_path / "dino", tmp_path / "sam")
    asked = [noise(40, 30)], ["red car"]
    one, other = loaded.locate(*asked)[0], Boxed(detector, segmenter).locate(*asked)[0]
    assert one.boxes == other.boxes
    assert np.array_equal(one.mask_HW, other.mask_HW)
    dino, sam = (named_by_content(tmp_path / name) for name in ("dino", "sam"))
    assert loaded.identity == f"{dino} at 0.3 and {sam}"
