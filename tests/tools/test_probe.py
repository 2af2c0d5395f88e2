from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.index.build import build_index
from sae_core.index.observer import LmmObserver, source_of, spec_of
from sae_core.index.query import Index
from sae_core.lmm.adapter import Prompt, adapter_for
from tests.sae_core.small_models import BUILDERS, WIDTH, noise
from tools.contrast import Sides, contrasted, deal_p
from tools.failures import WontWork
from tools.firing import WHOLE, Region
from tools.picture_id import PictureId
from tools.probe import ProbeArguments, probe
from tools.regions import Box
from toybox.conversations import ToyboxPictures

pytestmark = pytest.mark.anyio


def numbers(*given, split="explore"):
    return tuple(PictureId(number=number, split=split) for number in given)


@pytest.fixture(scope="module")
def values(world):
    """What the observer itself says [pictures, cells, features]."""
    shown = ToyboxPictures("explore", 40)
    return np.stack([world.observer.values(shown.picture(n)) for n in range(40)])


async def test_it_names_what_fires_strongest_first(lab, values):
    found = await probe.call(lab, ProbeArguments(pictures=numbers(3), common=2, count=1000))
    means = values[3].mean(0)
    assert {one.feature for one in found.firing} == set(np.flatnonzero(means))
    assert [one.mean for one in found.firing] == sorted(means[means > 0], reverse=True)
    for one in found.firing:
        assert one.peak == values[3][:, one.feature].max()
        assert one.share == pytest.approx((values[3][:, one.feature] > 0).mean())
    assert (found.fire, found.skipped) == (len(found.firing), 0)


async def test_several_pictures_count_as_one_large_one(lab, values):
    found = await probe.call(lab, ProbeArguments(pictures=numbers(3, 7, 9), common=2, count=5))
    means = values[[3, 7, 9]].mean((0, 1))
    np.testing.assert_allclose([one.mean for one in found.firing], np.sort(means)[:-6:-1])


async def test_very_common_features_are_skipped_and_counted(world, lab, values):
    rates = world.indexes["explore"].picture_rates()
    found = await probe.call(lab, ProbeArguments(pictures=numbers(3), common=0.1, count=1000))
    fire = values[3].any(0)
    assert {one.feature for one in found.firing} == set(np.flatnonzero(fire & (rates < 0.1)))
    assert found.skipped == (fire & (rates >= 0.1)).sum() > 0


async def test_a_region_counts_its_cells_only(lab, values, feature_of):
    feature = feature_of("umbrella")
    number = int(values[:, :, feature].any(1).argmax())
    lit = np.flatnonzero(values[number][:, feature])
    cells = tuple((int(at) // 12, int(at) % 12) for at in lit)
    found = await probe.call(
        lab, ProbeArguments(pictures=numbers(number), cells=cells, common=2, count=1000)
    )
    own = {one.feature: one for one in found.firing}[feature]
    assert own.share == 1
    assert own.mean == pytest.approx(values[number][lit, feature].mean())
    assert {one.feature for one in found.firing} == set(np.flatnonzero(values[number][lit].any(0)))


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ((0, 0, 96, 96), [(r, c) for r in range(12) for c in range(12)]),
        ((8, 16, 24, 24), [(2, 1), (2, 2)]),
        ((0, 0, 1, 1), [(0, 0)]),
        ((95, 95, 96, 96), [(11, 11)]),
        ((49, 3, 50, 4), [(0, 6)]),
    ],
)
def test_a_box_holds_the_cells_whose_middles_it_covers_and_at_least_one(box, wanted):
    places = Region(box=Box(*box)).places((12, 12), (96, 96)).reshape(12, 12)
    assert [tuple(at) for at in places.nonzero().tolist()] == wanted


def test_a_box_of_cells_that_look_at_all_of_the_picture_is_refused():
    with pytest.raises(WontWork, match="look at all of a picture"):
        Region(box=Box(0, 0, 24, 24)).places((1, 32), (96, 96))


def test_no_region_is_the_whole_picture():
    assert WHOLE.places((3, 4), (40, 30)).tolist() == [True] * 12


async def test_a_contrast_finds_what_only_one_set_shows(lab, values, feature_of):
    feature = feature_of("a city")
    fires = values[:, :, feature].any(1)
    one, other = (numbers(*map(int, np.flatnonzero(side)[:8])) for side in (fires, ~fires))
    found = await probe.call(lab, ProbeArguments(pictures=one, against=other, common=2))
    best = found.contrast[0]
    count = len(one)
    assert best.feature == feature
    assert (best.rate, best.against) == (1, 0)
    assert best.p == pytest.approx(deal_p(count, 0, Sides(count, 8)))
    rates = [one.false_discovery_rate for one in found.contrast]
    assert rates == sorted(rates)
    assert found.firing == ()


async def test_two_draws_from_the_same_pictures_have_no_discoveries(lab):
    found = await probe.call(
        lab, ProbeArguments(pictures=numbers(*range(100)), against=numbers(*range(100, 200)))
    )
    assert found.contrast
    assert all(one.false_discovery_rate > 0.05 for one in found.contrast)


@given(
    one=st.lists(st.booleans(), min_size=1, max_size=5),
    other=st.lists(st.booleans(), min_size=1, max_size=5),
)
def test_p_is_the_share_of_all_deals_that_part_as_unevenly(one, other):
    fires, n = np.array(one + other), len(one)

    def difference(chosen):
        mine = np.isin(np.arange(len(fires)), chosen)
        return abs(fires[mine].mean() - fires[~mine].mean())

    deals = [difference(deal) for deal in combinations(range(len(fires)), n)]
    share = np.mean([deal >= difference(range(n)) - 1e-9 for deal in deals])
    assert deal_p(sum(one), sum(other), Sides(n, len(other))) == pytest.approx(share)


def test_a_contrast_of_features_that_never_fire_or_are_skipped_is_empty():
    assert contrasted([0, 2], [0, 2], Sides(2, 2), [True, False]) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "either pictures or a text"),
        ({"pictures": [{"number": 1}], "text": "cat"}, "either pictures or a text"),
        ({"text": "cat", "against": [{"number": 1}]}, "nothing to hold"),
        ({"text": "cat", "cells": [[0, 0]]}, "a part of pictures"),
        (
            {"pictures": [{"number": 1}], "against": [{"number": 2}, {"number": 1}]},
            "the picture explore 1 is in both sets",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments, reason):
    with pytest.raises(WontWork, match=reason):
        probe.parse(arguments)


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"cells": ((12, 0),)}, "no cell 12, 0"),
        ({"cells": ((0, -1),)}, "no cell 0, -1"),
        ({"box": (0, 0, 97, 10)}, "does not lie in a picture of 96 x 96"),
        ({"box": (5, 5, 5, 9)}, "does not lie"),
    ],
)
async def test_a_region_outside_of_the_picture_is_refused(lab, part, reason):
    with pytest.raises(WontWork, match=reason):
        await probe.call(lab, ProbeArguments(pictures=numbers(0), **part))


async def test_a_picture_of_a_sealed_split_is_refused(lab):
    with pytest.raises(WontWork, match="sealed"):
        await probe.call(lab, ProbeArguments(pictures=numbers(0, split="test")))


async def test_drawn_features_see_no_text(lab):
    with pytest.raises(WontWork, match="drawn, not computed"):
        await probe.call(lab, ProbeArguments(text="cat"))


class Noise:
    """Four pictures of random pixels."""

    digest = "noise"

    def __len__(self):
        return 4

    def picture(self, number):
        return noise(24, 24, number)


@pytest.fixture
def seeing(make_lab, tmp_path):
    """A lab on a tiny random model and coder."""
    torch.manual_seed(0)
    coder = SparseCoder(CoderConfig(width=WIDTH, features=40, k=4))
    observer = LmmObserver(adapter_for(*BUILDERS["llava-next"]()), coder, "layers.1", "tiny")
    build_index(tmp_path / "index", spec_of(observer, Noise()), source_of(observer, Noise()))
    indexes = {"explore": Index.open(tmp_path / "index")}
    return make_lab(observer=observer, pictures={"explore": Noise()}, indexes=indexes)


async def test_a_kept_picture_is_probed_like_any_other(seeing):
    name = seeing.artefacts.put_picture(seeing.picture("explore", 2))
    by_number, by_name = [
        await probe.call(seeing, ProbeArguments(pictures=(which,), common=2))
        for which in (PictureId(number=2), PictureId(artefact=name))
    ]
    assert by_number == by_name


async def test_only_the_own_tokens_of_a_text_count(seeing):
    adapter, coder = seeing.observer.adapter, seeing.observer.coder
    inputs = adapter.prepare([Prompt((), "the red cat")])
    ids = inputs.tensors["input_ids"][0].tolist()
    words = [adapter.processor.tokenizer.convert_tokens_to_ids(w) for w in ("the", "red", "cat")]
    at = ids.index(words[0])
    assert ids[at : at + 3] == words != ids
    with torch.no_grad():
        hidden = adapter.model(**inputs.tensors, output_hidden_states=True).hidden_states[2]
        wanted = coder.encode(hidden[0, at : at + 3]).dense(40).mean(0).numpy()
    found = await probe.call(seeing, ProbeArguments(text="the red cat", common=2))
    assert {one.feature for one in found.firing} == set(np.flatnonzero(wanted))
    for one in found.firing:
        assert one.mean == pytest.approx(wanted[one.feature], rel=1e-4)


async def test_a_text_that_stands_for_a_picture_is_refused(seeing):
    with pytest.raises(WontWork, match="stands for a picture"):
        await probe.call(seeing, ProbeArguments(text="a <image>"))
