"""What the doctor says about a profile of real models before any of them is here."""

import json
import shlex

import huggingface_hub.constants
import pytest
from typer.main import get_command

from lmmscope import (
    doctor,
    doctor_data,
    doctor_extras,
    doctor_models,
    doctor_plan,
    doctor_servers,
    doctor_training,
)
from lmmscope.cli import app
from lmmscope.settings import load_settings


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "engines"))
    monkeypatch.chdir(tmp_path)


def by_name(checks):
    return {check.name: check for check in checks}


def test_each_missing_model_has_the_command_that_downloads_what_is_needed_of_it():
    checks = by_name(doctor_models.examine(load_settings("llava-next-8b")))
    assert {check.state for check in checks.values()} == {"missing"}
    assert checks["target"].fix == "hf download llava-hf/llama3-llava-next-8b-hf"
    assert (
        checks["segmenter"].fix
        == "hf download facebook/sam-vit-huge --exclude '*.bin' --exclude '*.h5'"
    )
    assert checks["sae"].fix == "hf download lmms-lab/llama3-llava-next-8b-hf-sae-131k"
    assert "explainer" not in checks


def test_a_missing_data_set_has_the_command_that_downloads_the_part_that_is_used():
    checks = by_name(doctor_data.examine(load_settings("llava-next-8b")))
    assert (
        checks["explore"].fix == "hf download lmms-lab/sae-sample-cache-dataset --repo-type dataset"
    )
    words = shlex.split(checks["test"].fix)
    assert words[words.index("--include") + 1] == "data/test-0000[2-3]-of-00014.parquet"
    assert shlex.split(checks["train"].fix)[-2:] == ["--include", "data/*.parquet"]
    assert [checks[key].state for key in ("explore", "train")] == ["missing", "note"]


def test_a_coder_that_is_not_published_has_the_command_that_trains_it():
    settings = load_settings("llava-next-8b-layer-32")
    words = shlex.split(by_name(doctor_models.examine(settings))["sae"].fix)
    train = get_command(app).commands["sae"].commands["train"]
    asked = train.make_context("train", words[words.index("train") + 1 :]).params
    wanted = {"profile": "llava-next-8b-layer-32", "features": 131072, "k": 4096}
    assert {name: asked[name] for name in wanted} == wanted
    assert str(asked["out"]) == settings.models.sae
    assert by_name(doctor_data.examine(settings))["train"].state == "missing"


def test_the_training_command_of_a_profile_in_a_file_names_the_file(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "llava-next-8b-layer-8"\n[models]\nsae = "./saes/mine"\n')
    (fix,) = (c.fix for c in doctor.examine(str(mine)).checks if c.name == "sae")
    words = shlex.split(fix or "")
    assert words[words.index("--profile") + 1] == str(mine)


@pytest.mark.parametrize(
    ("profile", "engine", "model", "own"),
    [
        ("llava-next-8b", "sglang", "lmms-lab/llava-onevision-qwen2-72b-ov-sft", "--tp-size"),
        ("llava-next-8b-small", "vllm", "Qwen/Qwen2.5-VL-7B-Instruct-AWQ", "--max-model-len"),
    ],
)
def test_one_server_for_two_roles_is_started_once_by_its_engine(
    monkeypatch, free_url, profile, engine, model, own
):
    for role in ("EXPLAINER", "JUDGE"):
        monkeypatch.setenv(f"LMMSCOPE_SERVERS__{role}__BASE_URL", free_url)
    checks = by_name(doctor_servers.examine(load_settings(profile)))
    assert f"requirements-{engine}.txt" in checks["explainer's engine"].fix
    assert checks["explainer"].fix == checks["judge"].fix
    words = shlex.split(checks["judge"].fix)
    serve = get_command(app).commands["serve"]
    asked = serve.make_context("serve", words[words.index("serve") + 1 :]).params
    assert (asked["role"], asked["engine"], asked["model"]) == ("explainer", engine, model)
    assert asked["options"][0] == own
    assert str(asked["port"]) == free_url.rpartition(":")[2]


@pytest.fixture
def free_url():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_before_anything_is_here_the_plan_rests_on_what_is_published():
    checks = by_name(doctor_plan.examine(load_settings("llava-next-8b")))
    memory = checks["GPU memory"].found
    assert "target 16.7 (published)" in memory
    assert "sae 4.3 (published)" in memory
    assert "146.4 GB of weights (published)" in checks["explainer's server"].found
    assert "explainer 146.4 (published)" in checks["download"].found
    assert checks["download"].found.count("146.4") == 1
    assert "for 46,684" in checks["index"].found
    assert "at most 29.3 GB" in checks["disk"].found


def test_what_training_takes_is_told_where_a_coder_has_to_be_trained(monkeypatch):
    monkeypatch.setattr(doctor_training, "accelerator", lambda: ("an A100", 312))
    (check,) = doctor_training.examine(load_settings("llava-next-8b-layer-25"))
    # 16.7 of weights, 16 bytes of 2 x 4,096 x 131,072 numbers, 7.1 of a pass, 4.3 of picking
    assert check.found.startswith("45.3 GB of GPU memory, 24.6 GB of memory, 17.2 GB of disk, ")
    assert "25.8 h for 100,000 steps of 8,192" in check.found
    (lower,) = doctor_training.examine(load_settings("llava-next-8b-layer-8"))
    assert "9.6 h" in lower.found
    assert doctor_training.examine(load_settings("llava-next-8b")) == []
    assert doctor_training.examine(load_settings("toybox")) == []


def test_a_download_that_does_not_fit_says_how_to_put_it_elsewhere(monkeypatch):
    free = type("Usage", (), {"free": 10_000_000_000})
    monkeypatch.setattr(doctor_plan.shutil, "disk_usage", lambda _: free)
    check = by_name(doctor_plan.examine(load_settings("llava-next-8b")))["download"]
    assert check.state == "note"
    assert "HF_HUB_CACHE" in check.fix


def test_fewer_bits_and_smaller_batches_need_less_memory():
    def total(profile):
        found = by_name(doctor_plan.examine(load_settings(profile)))["GPU memory"].found
        return float(found.split()[1])

    assert total("llava-next-8b-small") < 24 < total("llava-next-8b")


def test_the_toybox_has_nothing_to_download():
    checks = by_name(doctor_plan.examine(load_settings("toybox")))
    assert checks["download"].found == "nothing"
    assert "published" not in checks["GPU memory"].found


def test_the_extras_that_a_profile_needs_are_named(monkeypatch):
    monkeypatch.setattr(doctor_extras, "find_spec", lambda _: None)
    monkeypatch.setenv("LMMSCOPE_MODELS__TEXT_ENCODER", "bert")
    checks = doctor_extras.examine(load_settings("llava-next-8b-small"))
    assert [check.name for check in checks] == ["quantised", "parquet", "grounded-sam"]
    assert "lmmscope[quantised]" in checks[0].fix
    monkeypatch.delenv("LMMSCOPE_MODELS__TEXT_ENCODER")
    assert doctor_extras.examine(load_settings("toybox")) == []


def test_a_data_set_in_a_folder_is_counted_without_being_opened(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(b"no picture, but nobody looks")
    check = doctor_data.data_check("explore", "set#0-50")
    assert (check.state, check.found.split(",")[0]) == ("ok", "1 files")
    assert doctor_data.data_check("explore", "nowhere").state == "missing"
    assert json.dumps(check.files) == "{}"
