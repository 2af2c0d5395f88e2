"""Every profile of real models, as it is shipped, on tiny random ones in the published layouts."""

import json
import shlex

import huggingface_hub.constants
import pytest
import torch
from typer.testing import CliRunner

from lmmscope import wiring
from lmmscope.cli import app
from lmmscope.settings import known_profiles, load_settings
from sae_core.errors import UserError
from tests.lmmscope import stand_in
from tests.lmmscope.stand_in_targets import llava_next
from tests.sae_core import small_models

TARGETS = {
    "llava-next-8b": llava_next,
    "qwen2.5-vl-7b": lambda: small_models.qwen(depth=28),
    "instructblip-7b": lambda: small_models.instructblip(depth=32),
}
TRAINED = [name for name in known_profiles() if "layer-" in name] + [
    "qwen2.5-vl-7b",
    "instructblip-7b",
]
SAE = ("models", "sae")
SMALL = {"FEATURES": "64", "K": "4", "STEPS": "2", "BATCH": "64"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    stand_in.write_all(folder, pictures=16)
    stand_in.write_others(folder)
    return folder


@pytest.fixture(autouse=True)
def _here(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)


def ran(*words):
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def sae_check(profile):
    """What the doctor says of a profile's coder; other things may be missing."""
    told = CliRunner().invoke(app, ["doctor", "--profile", profile, "--json"]).stdout
    return next(c for c in json.loads(told)["checks"] if (c["section"], c["name"]) == SAE)


def test_the_tests_here_cover_every_profile():
    derived = {"llava-next-8b-strict", "llava-next-8b-small"}
    assert {*TARGETS, *TRAINED, *derived, "toybox"} == set(known_profiles())


@pytest.mark.parametrize("profile", TARGETS)
def test_a_target_is_loaded_whole_from_its_published_files(profile):
    settings = load_settings(profile)
    adapter, (made, _) = wiring.target(settings), TARGETS[profile]()
    adapter.block(settings.data.hook)
    assert len(adapter.layers()) == settings.published.models["target"].layers
    assert adapter.model.dtype is torch.bfloat16
    there = adapter.model.state_dict()
    assert list(there) == list(made.state_dict())
    for name, tensor in made.state_dict().items():
        torch.testing.assert_close(there[name], tensor.bfloat16(), rtol=0.01, atol=1e-3, msg=name)


def test_the_small_profile_says_in_one_line_what_its_four_bits_need(monkeypatch):
    monkeypatch.setattr(wiring, "find_spec", lambda _: None)
    with pytest.raises(UserError) as refused:
        wiring.target(load_settings("llava-next-8b-small"))
    assert str(refused.value) == (
        "bits = 4 needs bitsandbytes and accelerate. Try pip install 'lmmscope[quantised]'"
    )


@pytest.mark.parametrize("profile", TRAINED)
def test_a_coder_that_is_not_published_is_trained_as_the_doctor_says_and_then_fits(
    profile, monkeypatch
):
    for name, value in SMALL.items():
        monkeypatch.setenv(f"LMMSCOPE_CODER__{name}", value)
    missing = sae_check(profile)
    assert missing["state"] == "missing"
    words = shlex.split(missing["fix"])
    ran(*words[words.index("sae") :])
    assert sae_check(profile)["state"] == "ok"
    assert "64 features, 16 pictures" in ran("index", "build", "--profile", profile)
