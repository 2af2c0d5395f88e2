"""Coders are found by names, never by paths, and said to fit or not."""

import httpx2
import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError

from sae_core.formats.store import save_coder
from tests.sae_core.small_models import WIDTH
from tests.tools.small_lab import FEATURES, HOOK, coder_of, small_lab
from tools.coder_folders import trained_folder
from tools.failures import TryAgain, WontWork
from tools.load_sae import load_sae

pytestmark = pytest.mark.anyio


@pytest.fixture
def lab(tmp_path):
    lab = small_lab(tmp_path / "runs")
    lab.saes["mine"] = tmp_path / "mine"
    save_coder(coder_of(), tmp_path / "mine")
    return lab


async def loaded(lab, source="mine", **more):
    return await load_sae.call(lab, load_sae.parse({"source": source} | more))


async def test_a_named_coder_is_described(lab):
    found = await loaded(lab)
    assert (found.format, found.config.features, found.config.k) == ("lmmscope", FEATURES, 6)
    assert found.shapes["W_dec"] == (FEATURES, WIDTH)
    assert found.size > 4 * 2 * FEATURES * WIDTH
    assert (found.fits, found.misfit) == (True, "")


@pytest.mark.parametrize("format_", ["sparsify", "saelens", "dictionary_learning"])
async def test_other_formats_are_known_by_name(lab, tmp_path, format_):
    lab.saes["other"] = tmp_path / "other" / HOOK
    save_coder(coder_of(), lab.saes["other"], format_)
    assert (await loaded(lab, "other", hook=HOOK)).format == format_


async def test_the_digest_is_the_one_that_features_are_known_by(lab):
    assert (await loaded(lab)).digest == lab.seeing.digest


@pytest.mark.parametrize(
    ("coder", "fault"),
    [
        ({"width": 8}, "8 wide"),
        ({"hook": "layers.9"}, "No hook point 'layers.9'"),
        ({"hook": ""}, "does not say which layer"),
    ],
)
async def test_a_coder_of_another_target_does_not_fit_and_says_why(lab, tmp_path, coder, fault):
    lab.saes["other"] = tmp_path / "other"
    save_coder(coder_of(**coder), tmp_path / "other")
    found = await loaded(lab, "other")
    assert not found.fits
    assert fault in found.misfit


async def test_a_coder_without_a_layer_is_tried_on_the_one_given(lab, tmp_path):
    lab.saes["other"] = tmp_path / "other"
    save_coder(coder_of(hook=""), tmp_path / "other")
    assert (await loaded(lab, "other", hook=HOOK)).fits


async def test_one_of_several_is_named_by_its_part(lab, tmp_path):
    lab.saes["several"] = tmp_path / "several"
    for seed, part in enumerate(("layers.0", "layers.1")):
        save_coder(coder_of(seed), tmp_path / "several" / part)
    with pytest.raises(WontWork, match=r"layers\.0, layers\.1"):
        await loaded(lab, "several")
    first, second = [await loaded(lab, "several", part=p) for p in ("layers.0", "layers.1")]
    assert first.digest != second.digest
    with pytest.raises(WontWork, match=r"no part 'layers\.7'"):
        await loaded(lab, "several", part="layers.7")


async def test_an_unknown_name_is_answered_with_those_that_are_known(lab):
    save_coder(coder_of(), trained_folder(lab, "ours"))
    with pytest.raises(WontWork, match="Known: mine, ours"):
        await loaded(lab, "yours")
    assert (await loaded(lab, "ours")).fits


@pytest.mark.parametrize("source", ["/etc", "../mine", "a/b/c", "a/..", ".hidden", "mine\n", ""])
def test_a_path_is_no_name(source):
    with pytest.raises(WontWork, match="load_sae: source"):
        load_sae.parse({"source": source})


@pytest.mark.parametrize("part", ["..", "../mine", "/etc", "a/../b", "a/"])
def test_a_part_is_no_path(part):
    with pytest.raises(WontWork, match="load_sae: part"):
        load_sae.parse({"source": "mine", "part": part})


async def test_offline_what_is_not_in_the_cache_wont_work(lab, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WontWork, match="HF_HUB_OFFLINE"):
        await loaded(lab, "nobody/nothing")


def hub(monkeypatch, answer):
    """A hub that answers like this, and the patterns that it was asked for."""
    asked = []

    def download(source, *, allow_patterns):
        asked.append((source, allow_patterns))
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return asked


async def test_of_a_hubs_collection_only_the_part_is_fetched(lab, tmp_path, monkeypatch):
    save_coder(coder_of(), tmp_path / "hub" / "layers.1")
    asked = hub(monkeypatch, tmp_path / "hub")
    assert (await loaded(lab, "org/saes", part="layers.1")).fits
    ((source, patterns),) = asked
    assert source == "org/saes"
    assert all(pattern.startswith("layers.1/") for pattern in patterns)


async def test_a_whole_collection_is_never_fetched(lab, tmp_path, monkeypatch):
    for part in ("layers.0", "layers.1/trainer_0"):
        save_coder(coder_of(), tmp_path / "hub" / part)
    asked = hub(monkeypatch, tmp_path / "hub")
    with pytest.raises(WontWork, match=r"Give part: layers\.0, layers\.1/trainer_0"):
        await loaded(lab, "org/saes")
    assert asked == [("org/saes", ["*.json"])]


async def test_a_hubs_only_coder_needs_no_part(lab, tmp_path, monkeypatch):
    save_coder(coder_of(), tmp_path / "hub" / "layers.1")
    hub(monkeypatch, tmp_path / "hub")
    assert (await loaded(lab, "org/saes")).fits


def refused(kind, status):
    request = httpx2.Request("GET", "http://hub")
    return kind("no", response=httpx2.Response(status, request=request))


async def test_a_hub_that_does_not_answer_may_later(lab, monkeypatch):
    monkeypatch.setattr(constants, "is_offline_mode", lambda: False)
    hub(monkeypatch, LocalEntryNotFoundError("no"))
    with pytest.raises(TryAgain, match="does not answer"):
        await loaded(lab, "org/saes")


async def test_what_the_hub_does_not_have_wont_work(lab, monkeypatch):
    hub(monkeypatch, refused(RepositoryNotFoundError, 404))
    with pytest.raises(WontWork, match="shows no org/saes"):
        await loaded(lab, "org/saes")


async def test_a_hub_that_breaks_off_may_not_the_next_time(lab, monkeypatch):
    hub(monkeypatch, httpx2.ReadError("broken off"))
    with pytest.raises(TryAgain, match="broken off"):
        await loaded(lab, "org/saes")
