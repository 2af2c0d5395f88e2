"""Attribution through the tool: sums, lists, maps and the exact check, on a tiny random model."""

import numpy as np
import pytest
import torch
from PIL import Image

from sae_core.lmm.adapter import Prompt
from tests.tools.small_lab import FEATURES, adapter, coder_of, small_lab
from tools.attribute import AttributionSheet, attribute
from tools.failures import WontWork
from tools.heat import AGAINST, DIMMED, FOR, overlaid

pytestmark = pytest.mark.anyio

ASKED = {
    "picture": {"number": 1},
    "question": "what is this",
    "answer": "yes",
    "baseline": "no",
    "skip_common": False,
    "top": 100,
}


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path)


async def attributed(lab, **more):
    return await attribute.call(lab, attribute.parse(ASKED | more))


async def test_the_lists_of_a_part_add_up_to_its_sum(lab):
    found = await attributed(lab)
    image = (*found.for_image, *found.against_image)
    assert sum(one.image for one in image) == pytest.approx(found.by_image, abs=1e-5)
    text = (*found.for_text, *found.against_text)
    assert sum(one.text for one in text) == pytest.approx(found.by_text, abs=1e-5)
    assert sum(one.score for one in found.tokens) == pytest.approx(found.by_text, abs=1e-5)


async def test_the_order_is_by_strength_and_signs_are_kept_apart(lab):
    found = await attributed(lab)
    pro, contra = ([one.image for one in part] for part in (found.for_image, found.against_image))
    assert pro == sorted(pro, reverse=True)
    assert contra == sorted(contra)
    assert min(pro) > 0 > max(contra)


async def test_the_difference_is_of_the_logits_of_the_two_answers(lab):
    found = await attributed(lab)
    small = adapter()
    inputs = small.prepare([Prompt((lab.picture("explore", 1),), "what is this")])
    with torch.no_grad():
        logits = small.model(**inputs.tensors).logits[0, -1]
    yes, no = (
        small.processor.tokenizer(w, add_special_tokens=False).input_ids[0] for w in ("yes", "no")
    )
    assert found.difference == pytest.approx(float(logits[yes] - logits[no]), abs=1e-4)


async def test_swapping_the_answers_swaps_the_lists(lab):
    found, swapped = await attributed(lab), await attributed(lab, answer="no", baseline="yes")
    assert [one.feature for one in found.for_image] == [
        one.feature for one in swapped.against_image
    ]


async def test_the_sheet_tells_each_listed_features_score_at_every_token_in_order(lab):
    found = await attributed(lab)
    sheet = lab.artefacts.document(found.sheet, AttributionSheet)
    assert " ".join(sheet.tokens).count("what is this") == 1
    by_position = sorted(found.tokens, key=lambda one: one.position)
    assert [one.token for one in by_position] == list(sheet.tokens)
    assert sheet.totals == pytest.approx([one.score for one in by_position], abs=1e-6)
    lists = (found.for_image, found.against_image, found.for_text, found.against_text)
    told = {one.feature: one.text for part in lists for one in part}
    assert {one.feature for one in sheet.features} == told.keys()
    for one in sheet.features:
        assert sum(one.scores) == pytest.approx(told[one.feature], abs=1e-5)


async def test_tokens_have_the_positions_and_words_of_the_prompt(lab):
    found = await attributed(lab)
    small = adapter()
    inputs = small.prepare([Prompt((lab.picture("explore", 1),), "what is this")])
    ids = inputs.tensors["input_ids"][0]
    assert {"what", "is", "this"} <= {one.token for one in found.tokens}
    for one in found.tokens:
        assert one.token == small.processor.tokenizer.decode([ids[one.position]])


async def test_maps_are_pictures_as_large_as_the_one_that_was_shown(lab):
    found = await attributed(lab, top=2)
    named = [found.heat, *(one.heat for one in found.for_image)]
    assert {lab.artefacts.picture(name).size for name in named} == {(24, 24)}


async def test_without_a_picture_there_are_no_maps_and_only_text_speaks(lab):
    found = await attributed(lab, picture=None)
    assert found.heat is None
    assert found.for_image == found.against_image == ()
    assert found.by_image == 0
    assert found.for_text


async def test_the_strongest_are_switched_off_for_real(lab):
    found = await attributed(lab, checked=5)
    assert found.check.kind == "checked"
    assert len(found.check.falls) == 5
    both = (*found.for_image, *found.against_image, *found.for_text, *found.against_text)
    total = {one.feature: one.image + one.text for one in both}
    for feature, score in zip(found.check.features, found.check.scores, strict=True):
        assert score == pytest.approx(total[feature], abs=1e-5)


async def test_a_coder_without_effect_is_not_checked_and_says_why(lab, monkeypatch):
    silent = coder_of()
    with torch.no_grad():
        silent.W_dec.zero_()
    monkeypatch.setattr(lab.seeing, "coder", silent)
    found = await attributed(lab)
    assert found.check.kind == "not checked"
    assert "No rank correlation" in found.check.why


async def test_common_features_are_left_out(lab):
    found = await attributed(lab, skip_common=True)
    rates = lab.index("explore").token_rates()
    common = set(np.flatnonzero(rates >= 0.1).tolist())
    both = {one.feature for one in (*found.for_image, *found.for_text)}
    assert 0 < len(common) < FEATURES
    assert not both & common


async def test_two_answers_with_the_same_first_token_are_refused(lab):
    with pytest.raises(WontWork, match="begin with the same token"):
        await attributed(lab, baseline="yes")


def test_orange_speaks_for_and_blue_against():
    heat = np.array([[2.0, -2.0, 0.0, 1.0]], np.float32)
    row = np.asarray(overlaid(Image.new("RGB", (4, 1), "white"), heat)).astype(int)[0]
    grey = round(255 * DIMMED)
    assert np.abs(row[0] - FOR).max() < 20
    assert np.abs(row[1] - AGAINST).max() < 20
    assert np.abs(row[2] - grey).max() <= 1
    assert ((row[0] < row[3]) == (np.array(FOR) < grey)).all()


def test_a_map_of_zeros_is_the_grey_picture():
    row = np.asarray(overlaid(Image.new("RGB", (3, 1), "white"), np.zeros((1, 3), np.float32)))
    assert set(row.flatten().tolist()) <= {127, 128}
