"""Counterfactuals on planted features, which fire on what is drawn and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.tools.conftest import SIZES
from tests.tools.small_lab import FEATURES, small_lab
from tools.attempts import differing, in_place, transplant
from tools.counterfactual import CounterfactualArguments, counterfactual
from tools.edits import Edit
from tools.failures import WontWork
from tools.picture_id import PictureId
from tools.readings import change, maps_of, reading
from tools.regions import elsewhere
from toybox.editing import SceneEditor
from toybox.tags import scene_of

pytestmark = pytest.mark.anyio
STEP = (8, 8)


def shown(*numbers):
    return tuple(PictureId(number=number) for number in numbers)


@pytest.fixture
def editing(make_lab):
    return make_lab(editor=SceneEditor())


@pytest.fixture
def single(world, feature_of):
    """A planted feature of cars, with a picture that shows one car and another thing."""
    feature = feature_of("car")
    for number in range(SIZES["explore"]):
        picture = world.pictures["explore"].picture(number)
        kinds = [thing.kind for thing in scene_of(picture).things]
        fires = world.observer.values(picture)[:, feature].any()
        if kinds.count("car") == 1 and len(kinds) > 1 and fires:
            return feature, number, kinds.index("car")
    raise AssertionError("no picture with one car")


@pytest.fixture
def lit(world, single):
    """The cells of that picture in which the feature fires, as pixels."""
    feature, number, _ = single
    values = world.observer.values(world.pictures["explore"].picture(number))[:, feature]
    return np.kron(values.reshape(world.observer.grid) > 0, np.ones(STEP)).astype(bool)


async def test_an_occluded_region_silences_its_feature_and_the_same_elsewhere_does_not(lab, single):
    feature, number, _ = single
    args = CounterfactualArguments(
        feature=feature, pictures=shown(number), edit=Edit.OCCLUDE_NOISE, repeats=3
    )
    found = await counterfactual.call(lab, args)
    inside = next(effect for effect in found.effects if effect.measure == "inside")
    assert inside.edit.value < -0.9
    assert inside.control.value > -0.1
    assert inside.difference.n == 1
    assert len(found.trials) == 3


async def test_changed_and_control_pictures_are_kept_and_differ_in_equal_areas(lab, single, lit):
    feature, number, _ = single
    args = CounterfactualArguments(
        feature=feature, pictures=shown(number), edit=Edit.OCCLUDE_NOISE, repeats=1
    )
    (trial,) = (await counterfactual.call(lab, args)).trials
    before = lab.picture("explore", number)
    edited, control = (
        differing(before, lab.artefacts.picture(name))
        for name in (trial.changed, trial.control.picture)
    )
    assert not (edited & ~lit).any()
    assert not (control & lit).any()
    assert trial.area == pytest.approx(lit.mean())
    assert control.sum() == pytest.approx(edited.sum(), rel=0.05)


async def test_repeats_on_one_picture_are_no_further_pictures(lab, single):
    feature, number, _ = single
    args = CounterfactualArguments(
        feature=feature, pictures=shown(number, number), edit=Edit.OCCLUDE_GREY, repeats=5
    )
    found = await counterfactual.call(lab, args)
    assert [effect.edit.n for effect in found.effects] == [2, 2, 2]


async def test_mirroring_has_no_control(lab, single):
    feature, number, _ = single
    args = CounterfactualArguments(feature=feature, pictures=shown(number), edit=Edit.MIRROR)
    found = await counterfactual.call(lab, args)
    assert all(effect.control is None and effect.difference is None for effect in found.effects)


async def test_an_edit_by_words_silences_a_feature_and_an_edit_of_something_else_does_not(
    editing, single
):
    feature, number, thing = single
    args = CounterfactualArguments(
        feature=feature,
        pictures=shown(number),
        edit="words",
        words=f"{thing}.kind = fish",
        repeats=2,
    )
    mean, *_ = (await counterfactual.call(editing, args)).effects
    assert mean.edit.value == -1
    assert mean.control.value > -0.5


async def test_an_edit_that_can_not_be_seen_is_a_failure_and_no_score(editing, world):
    number, thing = next(
        (number, at)
        for number in range(SIZES["explore"])
        for at, t in enumerate(scene_of(world.pictures["explore"].picture(number)).things)
        if t.kind == "car"
    )
    picture = world.pictures["explore"].picture(number)
    word = next(e for e in SceneEditor().others(picture, "place = beach") if f"{thing}.word" in e)
    args = CounterfactualArguments(feature=0, pictures=shown(number), edit="words", words=word)
    with pytest.raises(WontWork, match="changes nothing"):
        await counterfactual.call(editing, args)


async def test_a_silent_picture_has_no_region_to_change(lab, world):
    feature = next(f for f, p in enumerate(world.observer.planted) if p.rule == "single")
    number = next(
        n
        for n in range(SIZES["explore"])
        if not world.observer.values(world.pictures["explore"].picture(n))[:, feature].any()
    )
    args = CounterfactualArguments(feature=feature, pictures=shown(number), edit=Edit.BLUR)
    with pytest.raises(WontWork, match=f"fires nowhere on picture explore {number}"):
        await counterfactual.call(lab, args)


async def test_a_mask_says_which_region_is_changed(lab, single):
    feature, number, _ = single
    mask = np.zeros((96, 96), np.uint8)
    mask[:8, :8] = 255
    region = lab.artefacts.put_picture(Image.fromarray(mask))
    args = CounterfactualArguments(
        feature=feature, pictures=shown(number), edit=Edit.OCCLUDE_NOISE, region=region, repeats=1
    )
    (trial,) = (await counterfactual.call(lab, args)).trials
    changed = differing(lab.picture("explore", number), lab.artefacts.picture(trial.changed))
    assert not changed[mask == 0].any()
    assert trial.area == pytest.approx(64 / 96**2)


async def test_a_transplant_is_measured_in_the_picture_that_is_pasted_into(tmp_path):
    lab = small_lab(tmp_path)
    cut, into = (lab.picture("explore", number) for number in (1, 2))
    maps = [maps_of(lab.observer, feature, [cut, into]) for feature in range(FEATURES)]
    feature = next(f for f, (own, _) in enumerate(maps) if 0 < (own > 0).mean() < 0.5)
    args = CounterfactualArguments(
        feature=feature,
        pictures=shown(1),
        edit="transplant",
        into=PictureId(number=2),
        repeats=2,
    )
    found = await counterfactual.call(lab, args)
    for trial in found.trials:
        after, control = maps_of(
            lab.observer,
            feature,
            [lab.artefacts.picture(name) for name in (trial.changed, trial.control.picture)],
        )
        assert trial.before.mean == pytest.approx(maps[feature][1].mean())
        assert trial.after.mean == pytest.approx(after.mean())
        assert trial.control.after.peak == pytest.approx(control.max())
    assert [effect.measure for effect in found.effects] == ["mean", "peak", "inside"]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"edit": "transplant"}, "into goes with"),
        ({"edit": "words"}, "words goes with"),
        ({"edit": "blur", "words": "paint it red"}, "words goes with"),
        ({"edit": "words", "words": "x", "region": "0" * 64}, "leave region out"),
        ({"edit": "blur", "pictures": [{}]}, "either a number or an artefact"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(more, fault):
    with pytest.raises(WontWork, match=fault):
        counterfactual.parse({"feature": 0, "pictures": [{"number": 0}], **more})


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_change_is_between_losing_all_and_winning_all(before, after):
    found = change(before, after)
    assert -1 <= found <= 1
    assert (found > 0) == (after > before)
    assert (found < 0) == (after < before)


def test_a_reading_inside_counts_each_pixel_of_the_region():
    region = np.zeros((4, 4), bool)
    region[0, 1:3] = True  # a pixel of the first cell, and one of the second
    found = reading(np.array([[8.0, 2.0], [0.0, 0.0]], np.float32), region)
    assert (found.mean, found.peak, found.inside) == (2.5, 8.0, 5.0)


def random_picture(seed, width=96, height=96):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.fixture
def region():
    found = np.zeros((96, 96), bool)
    found[8:24, 16:40] = True
    found[8:16, 16:24] = False
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_transplant_and_its_control_change_the_same_pixels_of_the_same_picture(region, seed):
    picture, into = random_picture(1), random_picture(2, 64, 80)
    attempt = transplant(picture, region, into, seed, STEP)
    assert attempt.before.picture is into
    place = attempt.after.region
    assert place.sum() == region.sum()
    pasted, other = np.asarray(attempt.after.picture), np.asarray(attempt.control)
    assert (pasted[~place] == np.asarray(into)[~place]).all()
    assert (other[~place] == np.asarray(into)[~place]).all()
    assert (pasted[place] == np.asarray(picture)[region]).all()
    from_elsewhere = np.asarray(picture)[elsewhere(region, seed, STEP).region]
    assert sorted(map(tuple, other[place])) == sorted(map(tuple, from_elsewhere))


def test_a_region_without_room_in_the_other_picture_is_refused(region):
    with pytest.raises(WontWork, match="has no room"):
        transplant(random_picture(1), region, random_picture(2, 16, 16), 0, STEP)


def test_a_control_says_how_much_of_the_region_it_changes_too():
    region = np.ones((96, 96), bool)
    region[:24] = False
    attempt = in_place(random_picture(1), region, Edit.GREY, 0, STEP)
    assert attempt.overlap == pytest.approx(2 / 3)


def test_inside_a_region_queries_count_like_anywhere():
    """They look at all of the picture, so no region has some to itself."""
    region = np.zeros((4, 4), bool)
    region[:, :1] = True
    found = reading(np.array([[8.0, 0.0, 0.0, 0.0]], np.float32), region)
    assert (found.mean, found.peak, found.inside) == (2.0, 8.0, 2.0)
