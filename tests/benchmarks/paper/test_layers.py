"""The layers of Table 3: as deep as the paper's, each with a coder that is trained once."""

import asyncio

import pytest

from benchmarks.paper import chance, layers, scoring, table3
from benchmarks.paper.layers import Training, folders_of, layers_of, places_of
from benchmarks.paper.published import TABLE_3
from benchmarks.paper.report import markdown
from benchmarks.paper.survey import surveyed
from benchmarks.paper.table3 import Found
from lmmscope.settings import load_settings
from sae_core.errors import UserError
from sae_core.formats.store import load_coder, save_coder
from tests.tools.small_lab import coder_of

TINY = Training(steps=3, features=48, k=8, batch=64, block=4, pictures=40)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMMSCOPE_DATA__HELD_OUT_PICTURES", "30")
        found = load_settings("toybox")
    return found.model_copy(update={"runs": tmp_path_factory.mktemp("layers")})


@pytest.fixture(scope="module")
def trained(settings):
    return asyncio.run(layers_of(settings, {}, TINY, seed=0))


def test_layers_are_as_deep_as_the_papers():
    assert places_of(32) == [8, 25, 32]
    assert places_of(6) == [2, 5, 6]
    with pytest.raises(UserError, match="A target of 2 layers has none for each of 8, 25, 32"):
        places_of(2)


def test_each_layer_gets_a_coder_of_its_own(trained):
    assert [one.name for one in trained] == ["layer 2 of 6", "layer 5 of 6", "layer 6 of 6"]
    assert [one.printed for one in trained] == list(TABLE_3)
    hooks = []
    for layer in trained:
        assert {setup.settings.data.explore_pictures for setup in layer.setups.values()} == {40}
        (folder,) = {setup.sae for setup in layer.setups.values()}
        coder = load_coder(folder)
        assert coder.features == 48
        hooks.append(coder.config.hook)
    assert hooks == ["layers.1", "layers.4", "layers.5"]


def test_a_layer_is_trained_once(settings, trained, monkeypatch):
    async def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(layers, "call", never)
    assert asyncio.run(layers_of(settings, {}, TINY, seed=0)) == trained


def test_coders_of_ones_own_are_measured_on_all_pictures(settings, tmp_path):
    given = {place: tmp_path / str(place) for place in (2, 5, 6)}
    found = asyncio.run(layers_of(settings, given, TINY, seed=0))
    assert [one.setups["strict"].sae for one in found] == [str(path) for path in given.values()]
    assert found[0].setups["strict"].settings.data == settings.data


def test_a_coder_for_another_layer_is_refused(settings, tmp_path):
    with pytest.raises(UserError, match=r"no coder wanted for layer 3: of 6 layers, 2, 5, 6"):
        asyncio.run(layers_of(settings, {3: tmp_path}, TINY, seed=0))
    with pytest.raises(UserError, match=r"'x' is not LAYER=FOLDER"):
        folders_of(["x"])


def test_a_profile_with_siblings_uses_their_coders(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for layer in TABLE_3:
        save_coder(coder_of(), tmp_path / "runs" / "saes" / f"llava-next-8b-layer-{layer}")
    paper = load_settings("llava-next-8b").model_copy(update={"runs": settings.runs})
    found = asyncio.run(layers_of(paper, {}, TINY, seed=0))
    hooks = [one.setups["paper"].settings.data.hook for one in found]
    assert hooks == ["layers.7", "layers.24", "layers.31"]
    assert {one.setups["strict"].settings.runs for one in found} == {settings.runs}
    assert {one.setups["strict"].settings.data.firing for one in found} == {0.5}


def test_a_layer_is_measured_from_end_to_end(trained, monkeypatch):
    monkeypatch.setattr(chance, "SIZE", 20)
    monkeypatch.setattr(scoring, "HELD_OUT", 4)
    survey = asyncio.run(surveyed(trained[0].setups, 2, table3.WHICH, seed=0))
    told = markdown(table3.report([Found(trained[0], survey)], "typed", 0))
    assert "layer 2 of 6: 2 features, drawn by chance from" in told
    assert "| 22.82 |" in told
