import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sae_core.masks import highlighted
from tools.failures import WontWork
from tools.masking import LARGE, LINE, MARGIN, active, masked
from tools.render_masks import RenderMasksArguments, render_masks
from tools.sheets import Card, Section, contact_sheet
from toybox.conversations import ToyboxPictures

pytestmark = pytest.mark.anyio


@pytest.fixture
def umbrellas(lab, evidence_of, feature_of):
    return evidence_of(lab, feature_of("umbrella"))


def pixels(image):
    return np.asarray(image.convert("RGB"), np.int16)


def test_paper_is_the_published_picture(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.sightings[0]
    picture = pixels(lab.picture("explore", one.picture))
    wanted = highlighted(picture, one.map_RC(evidence.grid) >= 1e-5)
    np.testing.assert_array_equal(pixels(masked(lab, evidence, one)), wanted)


def test_a_higher_threshold_shows_fewer_cells_and_never_others(umbrellas):
    evidence = umbrellas[1]
    maps = [one.map_RC(evidence.grid) for one in evidence.of("top_by_mean")]
    for map_RC in maps:
        low, high = active(map_RC, 1e-5), active(map_RC, evidence.level)
        assert (low >= high).all()
        assert low.sum() > high.sum() > 0


def test_a_map_of_zeros_has_no_active_cell_at_any_threshold():
    assert not active(np.zeros((3, 4), np.float32), 0.0).any()


def test_heat_is_grey_exactly_where_the_feature_is_silent(lab, umbrellas):
    evidence = umbrellas[1]
    (silent, *_), (firing, *_) = evidence.of("near"), evidence.of("top_by_mean")
    cold, warm = (pixels(masked(lab, evidence, one, "heat")) for one in (silent, firing))
    assert (np.ptp(cold, axis=2) == 0).all()
    share = (np.ptp(warm, axis=2) > 0).mean()
    assert 0 < share < 0.3


def test_heat_of_queries_covers_all_of_the_picture(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.of("top_by_mean")[0]
    queries = one.model_copy(update={"cells": ((0.0, one.peak, 0.0),)})
    warm = pixels(masked(lab, evidence, queries, "heat"))
    assert (np.ptp(warm, axis=2) > 0).all()


def test_stronger_cells_are_never_darker_in_a_heat_map(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.of("top_by_mean")[0]
    rows, columns = evidence.grid
    # One map after another, each the same everywhere, on the same picture.
    lights = []
    for strength in np.linspace(0.05, 1, 12) * evidence.peak:
        even = one.model_copy(update={"cells": ((float(strength),) * columns,) * rows})
        shown = pixels(masked(lab, evidence, even, "heat"))
        lights.append((shown @ [0.2126, 0.7152, 0.0722]).mean())
    assert (np.diff(lights) > 0).all()


def test_an_outline_runs_along_the_cells_and_leaves_the_rest_alone(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.of("top_by_mean")[0]
    plain, drawn = (
        pixels(masked(lab, evidence, one, "outline", level))
        for level in (2 * evidence.peak, evidence.level)
    )
    changed = (plain != drawn).any(2)
    cell = changed.shape[0] // evidence.grid[0]
    near = np.kron(active(one.map_RC(evidence.grid), evidence.level), np.ones((cell, cell))) > 0
    assert (drawn[changed & near] == LINE).all(1).any()
    reach = range(-cell // 4, cell // 4 + 1)
    grown = np.any([np.roll(near, (down, right), (0, 1)) for down in reach for right in reach], 0)
    assert not (changed & ~grown).any()


def test_a_crop_holds_the_active_cells_and_little_more(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.of("top_by_mean")[1]
    crop = masked(lab, evidence, one, "crop")
    rows, columns = np.nonzero(active(one.map_RC(evidence.grid), evidence.level))
    cell = LARGE // evidence.grid[0]
    box = np.array([np.ptp(columns) + 1, np.ptp(rows) + 1]) * cell
    assert (np.array(crop.size) >= box).all()
    assert (np.array(crop.size) <= box + 2 * MARGIN * box.max() + 1).all()


def test_a_crop_of_a_weak_sighting_shows_its_strongest_cell(lab, umbrellas):
    evidence = umbrellas[1]
    one = evidence.of("top_by_mean")[0]
    assert masked(lab, evidence, one, "crop", 2 * evidence.peak).width < LARGE


def test_a_crop_of_a_silent_picture_is_all_of_it(lab, umbrellas):
    evidence = umbrellas[1]
    assert masked(lab, evidence, evidence.of("near")[0], "crop").size == (LARGE, LARGE)


@pytest.mark.parametrize("style", ["paper", "heat", "outline", "crop"])
async def test_each_picture_is_kept_with_what_it_shows(lab, umbrellas, style):
    name, evidence = umbrellas
    found = await render_masks.call(lab, RenderMasksArguments(evidence=name, style=style, limit=3))
    assert [one.picture for one in found.pictures] == [s.picture for s in evidence.sightings[:3]]
    for one, sighting in zip(found.pictures, evidence.sightings, strict=False):
        kept = lab.artefacts.picture(one.shown)
        np.testing.assert_array_equal(pixels(kept), pixels(masked(lab, evidence, sighting, style)))
    assert found.sheet is None


async def test_a_quantile_becomes_the_level_that_the_index_knows(world, lab, umbrellas):
    name, evidence = umbrellas
    found = await render_masks.call(lab, RenderMasksArguments(evidence=name, quantile=0.8))
    assert found.level == world.indexes["explore"].feature(evidence.feature).level(0.8)


async def test_a_threshold_above_everything_leaves_no_cell(lab, umbrellas):
    name, evidence = umbrellas
    arguments = RenderMasksArguments(evidence=name, threshold=evidence.peak * 2)
    found = await render_masks.call(lab, arguments)
    assert {one.cells for one in found.pictures} == {0}


async def test_only_the_groups_asked_for_are_shown(lab, umbrellas):
    arguments = RenderMasksArguments(evidence=umbrellas[0], groups=("near", "quantile"))
    found = await render_masks.call(lab, arguments)
    assert {one.group for one in found.pictures} == {"near", "quantile"}


async def test_the_sheet_grows_with_what_is_shown(lab, umbrellas):
    sheets = []
    for groups in (("top_by_mean",), ("top_by_mean", "near")):
        arguments = RenderMasksArguments(evidence=umbrellas[0], groups=groups, sheet=True)
        found = await render_masks.call(lab, arguments)
        assert found.sheet is not None
        sheets.append(lab.artefacts.picture(found.sheet))
    assert sheets[0].height < sheets[1].height


def test_two_thresholds_are_refused():
    with pytest.raises(WontWork, match="a threshold or a quantile, not both"):
        render_masks.parse({"evidence": "0" * 64, "threshold": 1.0, "quantile": 0.5})


async def test_evidence_of_other_pictures_is_refused(make_lab, umbrellas):
    other = make_lab(pictures={"explore": ToyboxPictures("explore", 20)})
    with pytest.raises(WontWork, match="Gather it anew"):
        await render_masks.call(other, RenderMasksArguments(evidence=umbrellas[0]))


async def test_a_picture_is_no_evidence(lab):
    name = lab.artefacts.put_picture(lab.picture("explore", 0))
    with pytest.raises(WontWork, match="is no Evidence"):
        await render_masks.call(lab, RenderMasksArguments(evidence=name))


@settings(max_examples=25)
@given(counts=st.lists(st.integers(0, 12), max_size=3), width=st.integers(1, 400))
def test_a_sheet_has_room_for_any_number_of_pictures_of_any_shape(counts, width):
    card = Card(Image.new("RGB", (width, 90), "red"), "7")
    sections = [Section("red", (card,) * count) for count in counts]
    shown = pixels(contact_sheet("Feature", "", sections))
    red = (shown == (255, 0, 0)).all(2)
    assert not red[:, [0, -1]].any()
    assert not red[[0, -1]].any()
    assert red.any() == any(counts)
