"""Explaining: what is shown, how answers are merged, and what is said when there are none."""

import numpy as np
import pytest
import torch
from PIL import Image

from prompts import load
from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.index.observer import LmmObserver
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest
from tests.tools.conftest import Scripted
from tests.tools.nasty import REPLIES
from tools.asking import Unparsable
from tools.evidence import FIRING, Evidence
from tools.explain import MOST, ExplainArguments, explain
from tools.failures import WontWork
from tools.hypotheses import Given, merged
from tools.masking import masked
from tools.selections import contrasted, several, strongest
from toybox.models import load_target

pytestmark = pytest.mark.anyio
UNABLE = "[EXPLANATION]: Unable to produce descriptions"
HOOK = "layers.3"


def written(text):
    return f"[EXPLANATION]: {text}"


@pytest.fixture
def gathered(lab, evidence_of, feature_of):
    return evidence_of(lab, feature_of("a city"))


@pytest.fixture
def ask(make_lab, gathered):
    async def ask(*replies, **how):
        chat = Scripted(*replies)
        args = ExplainArguments(evidence=gathered[0], **how)
        lab = make_lab(explainer=chat)
        return await explain.call(lab, args), chat, lab

    return ask


async def test_describe_shows_the_strongest_pictures_masked_as_in_the_paper(ask, gathered):
    result, chat, lab = await ask(written("red cars"), count=3)
    top = gathered[1].of("top_by_mean")[:3]
    (request,) = chat.asked
    assert request.messages[0].text == load("explain").body
    for sighting, picture in zip(top, request.pictures, strict=True):
        np.testing.assert_array_equal(picture, masked(lab, gathered[1], sighting, style="paper"))
    (only,) = result.hypotheses
    assert (only.text, only.votes) == ("red cars", 1)
    assert only.asked_of == tuple(one.picture for one in top)
    assert (result.undescribed, result.failed) == (0, 0)


async def test_what_was_shown_is_kept_and_the_prompt_named(ask):
    result, chat, lab = await ask(written("red cars"))
    for shown, picture in zip(result.shown, chat.asked[0].pictures, strict=True):
        assert shown.fires
        np.testing.assert_array_equal(lab.artefacts.picture(shown.artefact), picture)
    assert result.prompt_hash == load("explain").content_hash


async def test_nothing_to_describe_is_a_result_without_hypotheses(ask):
    result, _, _ = await ask(UNABLE)
    assert (result.hypotheses, result.undescribed, result.failed) == ((), 1, 0)


async def test_hypotheses_of_several_selections_are_merged_and_counted(ask, gathered):
    views = several(gathered[1], 2)
    replies = [written("red cars"), *[written("A wheel.")] * (len(views) - 2), UNABLE]
    result, chat, _ = await ask(*replies, mode="hypotheses", count=2)
    assert len(chat.asked) == len(views) > 3
    assert [(one.text, one.votes) for one in result.hypotheses] == [
        ("A wheel.", len(views) - 2),
        ("red cars", 1),
    ]
    asked_of = {number for view in views[1:-1] for number in view.numbers}
    assert set(result.hypotheses[0].asked_of) == asked_of
    assert result.undescribed == 1
    assert len({one.picture for one in result.shown}) == len(result.shown)


async def test_askings_that_fail_are_counted_and_do_not_vote(ask, gathered):
    views = several(gathered[1], 2)
    replies = [*["red cars"] * 3, *[written("a wheel")] * (len(views) - 1)]
    result, _, _ = await ask(*replies, mode="hypotheses", count=2)
    assert result.failed == 1
    assert [one.votes for one in result.hypotheses] == [len(views) - 1]


async def test_apart_asks_about_each_picture_alone(ask):
    replies = [written("car"), written("bus"), written("a bus"), UNABLE]
    result, chat, _ = await ask(*replies, mode="apart", count=4)
    assert [len(request.pictures) for request in chat.asked] == [1] * 4
    assert len({one.picture for one in result.shown}) == 4
    assert [(one.text, one.votes) for one in result.hypotheses] == [("bus", 2), ("car", 1)]
    assert result.undescribed == 1


async def test_listed_asks_once_for_competing_answers(ask):
    said = "[HYPOTHESIS] wheels of red cars\n[HYPOTHESIS] wheels\n[HYPOTHESIS] round things"
    result, chat, _ = await ask(said, mode="listed")
    assert len(chat.asked) == 1
    assert f"up to {MOST} answers" in chat.asked[0].messages[0].text
    texts = [one.text for one in result.hypotheses]
    assert texts == ["wheels of red cars", "wheels", "round things"]


async def test_contrast_shows_masked_pictures_first_and_then_whole_ones(ask, gathered):
    result, chat, lab = await ask(written("a wheel"), mode="contrast", count=3)
    evidence = gathered[1]
    selection = contrasted(evidence, 3)
    (request,) = chat.asked
    assert "first 3 of these pictures" in request.messages[0].text
    assert f"the other {len(selection.silent)}," in request.messages[0].text
    assert [one.fires for one in result.shown] == [True] * 3 + [False] * len(selection.silent)
    for sighting, picture in zip(selection.silent, request.pictures[3:], strict=True):
        whole = lab.picture("explore", sighting.picture).convert("RGB")
        np.testing.assert_array_equal(picture, whole)
    assert all(isinstance(part, Image.Image) for part in request.messages[0].parts[:-1])


@pytest.mark.parametrize("mode", ["describe", "hypotheses", "listed", "contrast"])
async def test_a_nasty_reply_is_no_hypothesis(ask, gathered, mode):
    askings = len(several(gathered[1], 1)) if mode == "hypotheses" else 1
    for nasty in REPLIES:
        with pytest.raises(Unparsable):
            await ask(*[nasty] * 3 * askings, mode=mode, count=1)


@pytest.mark.parametrize(
    ("mode", "kept", "said"),
    [
        ("describe", (), "no picture on which it fires"),
        ("contrast", FIRING, "on which it is silent"),
    ],
)
async def test_evidence_without_the_pictures_that_are_needed_is_refused(
    make_lab, gathered, mode, kept, said
):
    lab = make_lab(explainer=Scripted())
    poor = gathered[1].model_copy(update={"sightings": gathered[1].of(*kept)})
    args = ExplainArguments(evidence=lab.artefacts.put_document(poor), mode=mode)
    with pytest.raises(WontWork, match=said):
        await explain.call(lab, args)


@pytest.mark.parametrize("split", ["validate", "test"])
async def test_nothing_is_explained_from_pictures_that_explanations_are_tested_on(
    make_lab, gathered, split
):
    lab = make_lab(explainer=Scripted())
    held_out = lab.artefacts.put_document(gathered[1].model_copy(update={"split": split}))
    with pytest.raises(WontWork, match=f"is of {split}, where explanations are tested"):
        await explain.call(lab, ExplainArguments(evidence=held_out))


@pytest.mark.parametrize("count", [0, MOST + 1])
def test_a_question_shows_1_to_8_masked_pictures(count):
    with pytest.raises(WontWork, match="explain: count"):
        explain.parse({"evidence": "0" * 64, "count": count})


async def test_planted_features_can_not_be_written_into_a_picture(ask):
    with pytest.raises(WontWork, match="nothing can be written"):
        await ask(mode="verbalise")


def test_the_strongest_are_filled_up_with_others_that_fire(gathered):
    evidence = gathered[1]
    few = evidence.model_copy(update={"sightings": evidence.of("quantile", "random")})
    chosen = strongest(few, MOST).firing
    assert [one.quantile for one in chosen] == sorted((o.quantile for o in chosen), reverse=True)
    assert len(chosen) == min(MOST, len(few.of("quantile")))


def test_selections_differ_and_only_show_what_fires(gathered):
    views = several(gathered[1], 3)
    assert views[0] == strongest(gathered[1], 3)
    assert len({frozenset(view.numbers) for view in views}) == len(views)
    assert all(one.group in FIRING for view in views for one in view.sightings)
    assert all(1 <= len(view.firing) <= 3 for view in views)


def test_contrast_prefers_silent_pictures_that_look_alike(gathered):
    chosen = contrasted(gathered[1], 4)
    near = gathered[1].of("near")
    assert chosen.silent[: len(near)] == near[: len(chosen.silent)]
    assert len(chosen.silent) == len(chosen.firing)


def test_equal_answers_are_one_whatever_their_article_capitals_and_stop():
    answers = [Given("a cat", (1,)), Given("Red cars.", (2, 3)), Given("the red cars", (3, 4))]
    assert [(one.text, one.asked_of, one.votes) for one in merged(answers)] == [
        ("Red cars.", (2, 3, 4), 2),
        ("a cat", (1,), 1),
    ]


class Seen:
    """A coder on the toybox's target whose feature 0 is what a picture adds to an empty one."""

    def __init__(self, picture):
        chat = load_target()
        adapter = adapter_for(chat.model, chat.processor)
        text = load("verbalise").body
        empty = Image.new("RGB", picture.size, (128, 128, 128))
        inputs = [adapter.prepare([Prompt((one,), text)]) for one in (picture, empty)]
        seen, unseen = (harvest(adapter, one, HOOK)[0] for one in inputs)
        added = (seen - unseen)[inputs[0].layouts[0].base()].mean(0)
        torch.manual_seed(0)
        coder = SparseCoder(CoderConfig(width=adapter.width(), features=8, k=2, hook=HOOK))
        with torch.no_grad():
            coder.W_dec[0] = added / added.norm()
        self.observer = LmmObserver(adapter, coder, HOOK, "toybox:target")
        self.peak = float(added.norm())


@pytest.fixture(scope="module")
def seen(world):
    return Seen(world.pictures["explore"].picture(1))


def seen_evidence(seen, gathered, **changes):
    known = {"feature": 0, "coder": seen.observer.digest, "hook": HOOK, "peak": seen.peak}
    return gathered[1].model_copy(update=known | changes)


async def test_verbalise_lets_the_target_say_what_the_feature_adds(make_lab, seen, gathered):
    """Picture 1 of the split shows a kitchen; the empty one shows nothing."""
    lab = make_lab(observer=seen.observer)
    evidence = lab.artefacts.put_document(seen_evidence(seen, gathered))
    result = await explain.call(lab, ExplainArguments(evidence=evidence, mode="verbalise"))
    assert "kitchen" in result.hypotheses[0].text
    assert result.hypotheses[0].votes >= 2
    assert "an empty wall with nothing." not in {one.text for one in result.hypotheses}
    assert sum(one.votes for one in result.hypotheses) + result.undescribed == 4
    (shown,) = result.shown
    assert shown.picture is None
    assert lab.artefacts.picture(shown.artefact).getcolors() == [(96 * 96, (128, 128, 128))]


async def test_a_feature_too_weak_to_change_a_word_has_nothing_to_say(make_lab, seen, gathered):
    lab = make_lab(observer=seen.observer)
    evidence = lab.artefacts.put_document(seen_evidence(seen, gathered, peak=1e-6))
    result = await explain.call(lab, ExplainArguments(evidence=evidence, mode="verbalise"))
    assert (result.hypotheses, result.undescribed) == ((), 4)


async def test_evidence_of_another_coder_is_not_written_into_this_one(make_lab, seen, gathered):
    lab = make_lab(observer=seen.observer)
    evidence = lab.artefacts.put_document(seen_evidence(seen, gathered, coder="0" * 64))
    with pytest.raises(WontWork, match="of the coder 000000000000"):
        await explain.call(lab, ExplainArguments(evidence=evidence, mode="verbalise"))


async def test_the_evidence_is_a_document_of_that_kind(make_lab):
    lab = make_lab(explainer=Scripted())
    picture = lab.artefacts.put_picture(Image.new("RGB", (2, 2)))
    with pytest.raises(WontWork, match=f"is no {Evidence.__name__}"):
        await explain.call(lab, ExplainArguments(evidence=picture))
