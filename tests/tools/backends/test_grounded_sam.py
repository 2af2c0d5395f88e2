"""The published packages, mended, on tiny random builds; without them only the error is tested."""

import importlib.util
import sys

import numpy as np
import pytest
import torch

from sae_core.errors import UserError
from tests.sae_core.small_models import noise
from tools.backends.boxed import Boxed
from tools.backends.grounded_sam import _fill, _state, repair
from tools.regions import Box

installed = pytest.mark.skipif(
    not importlib.util.find_spec("groundingdino")
    or not importlib.util.find_spec("segment_anything"),
    reason="the extra grounded-sam is not installed",
)
# Both packages warn of what they do themselves.
quiet = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


def test_without_the_packages_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(UserError, match=r"lmmscope\[grounded-sam\]"):
        repair()


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(UserError, match="No checkpoint at"):
        _state(tmp_path / "none.pth")


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    with pytest.raises(UserError, match="lacks 1 tensors of its model, the first is bias"):
        _fill(torch.nn.Linear(2, 2), {"module.weight": torch.ones(2, 2)}, tmp_path)


def test_a_checkpoint_fills_the_model_whatever_else_it_holds(tmp_path):
    model = torch.nn.Linear(1, 1)
    state = {"weight": torch.full((1, 1), 2.0), "bias": torch.zeros(1), "other": torch.ones(1)}
    _fill(model, state, tmp_path)
    assert model.weight.item() == 2


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    from tests.tools.backends import published

    return published.dino(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def segmenter():
    from tests.tools.backends import published

    return published.sam()


@installed
@quiet
def test_a_pair_does_not_depend_on_what_else_is_asked(detector):
    asked = [noise(40, 40), noise(40, 40, 1)], ["a picture of a red car.", "tree."]
    together = detector.detect(*asked)
    for one, picture, prompt in zip(together, *asked, strict=True):
        alone = detector.detect([picture], [prompt])[0]
        assert len(one.boxes) == 6
        assert one.boxes == alone.boxes
        assert one.scores == pytest.approx(alone.scores, abs=1e-3)


@installed
@quiet
def test_each_phrase_reads_itself_alone(detector):
    tokens = detector.model.tokenizer(["red car. tree."], return_tensors="pt")
    others = detector.model.tokenizer(["red car. cat."], return_tensors="pt")
    mask = torch.block_diag(*[torch.ones(n, n) for n in (1, 3, 2, 1)])[None]
    places = torch.tensor([[0, 0, 1, 2, 0, 1, 0]])
    with torch.inference_mode():
        read = [
            detector.model.bert(
                input_ids=t["input_ids"], attention_mask=mask, position_ids=places
            ).last_hidden_state[0]
            for t in (tokens, others)
        ]
    torch.testing.assert_close(read[0][:4], read[1][:4])
    assert not torch.allclose(read[0][4], read[1][4])


@installed
@quiet
def test_masks_are_those_of_the_packages_own_predictor(segmenter):
    from segment_anything import SamPredictor

    picture, boxes = noise(40, 30), [Box(2, 2, 20, 20), Box(5, 5, 30, 30)]
    predictor = SamPredictor(segmenter.model)
    predictor.set_image(np.asarray(picture))
    wanted = [predictor.predict(box=np.array(box), multimask_output=False)[0][0] for box in boxes]
    assert 0 < np.mean(wanted) < 1
    assert np.array_equal(segmenter.union(picture, boxes), np.any(wanted, 0))


@installed
@quiet
def test_both_make_a_grounder(detector, segmenter):
    located = Boxed(detector, segmenter).locate([noise(40, 30), noise(60, 60)], ["car", "tree"])
    assert [one.mask_HW.shape for one in located] == [(30, 40), (60, 60)]
