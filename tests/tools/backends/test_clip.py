"""Embeddings have length 1, are the model's own, and are computed once a picture."""

import pytest
import torch

from sae_core.weights import named_by_content
from tests.sae_core.small_models import noise
from tests.tools.backends.small_grounders import clip as small_clip
from tools.backends.clip import Clip


@pytest.fixture
def clip():
    return Clip(*small_clip(), "tiny")


def test_cosines_are_those_of_the_model_itself(clip):
    pictures, texts = [noise(32, 32), noise(32, 32, 1)], ["red car", "a picture of a tree"]
    inputs = clip.processor(images=pictures, text=texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        wanted = clip.model(**inputs).logits_per_image / clip.model.logit_scale.exp()
    cosines = clip.of_pictures(pictures) @ clip.of_texts(texts).T
    torch.testing.assert_close(cosines, wanted)


def test_a_picture_is_looked_at_once(clip, monkeypatch):
    first = clip.of_pictures([noise(32, 32), noise(20, 30, 1)])
    monkeypatch.setattr(clip.model, "get_image_features", None)
    torch.testing.assert_close(clip.of_pictures([noise(20, 30, 1)]), first[1:])


def test_an_embedding_does_not_depend_on_what_else_is_asked(clip):
    together = clip.of_texts(["red", "a picture of a blue cat"])
    torch.testing.assert_close(together[:1], clip.of_texts(["red"]))


def test_a_text_beyond_the_context_is_cut_off(clip):
    torch.testing.assert_close(clip.of_texts(["red " * 50]), clip.of_texts(["red " * 6]))


def test_nothing_gives_no_rows(clip):
    assert clip.of_pictures([]).shape == clip.of_texts([]).shape == (0, 12)


def test_a_saved_model_is_loaded_from_its_folder(clip, tmp_path):
    clip.model.save_pretrained(tmp_path)
    clip.processor.save_pretrained(tmp_path)
    loaded = Clip.load(tmp_path)
    torch.testing.assert_close(loaded.of_texts(["red car"]), clip.of_texts(["red car"]))
    assert loaded.identity == named_by_content(tmp_path)
