"""The doctor finds what is broken, names the file, and gives a command for what is missing."""

import json
import os
import shlex
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from rich.console import Console
from safetensors.numpy import save_file
from typer.main import get_command

from lmmscope.cli import app
from lmmscope.doctor import examine
from lmmscope.doctor_checks import Check, Diagnosis
from lmmscope.doctor_machine import writable
from lmmscope.doctor_models import folder_check
from lmmscope.doctor_packages import OURS, layout_check, package_homes, requirement_check
from lmmscope.doctor_servers import server_check
from lmmscope.doctor_view import show
from tests.lmmscope.listing import serving


@pytest.fixture
def model(tmp_path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["CLIPModel"]}')
    for name in ("tokenizer.json", "processor_config.json"):
        (folder / name).write_text("{}")
    save_file({"w": np.ones((4, 5), np.float32)}, folder / "model.safetensors")
    return folder


def shorten(path: Path, by: int) -> None:
    os.truncate(path, path.stat().st_size - by)


def test_a_whole_model_is_fit_and_its_class_and_files_are_told(model):
    check = folder_check("clip", str(model))
    assert check.state == "ok"
    assert check.found.startswith("CLIPModel, 4 files")
    assert check.files["model.safetensors"] == (model / "model.safetensors").stat().st_size


def test_a_truncated_weights_file_is_named(model):
    shorten(model / "model.safetensors", by=1)
    check = folder_check("clip", str(model))
    assert check.state == "missing"
    assert str(model / "model.safetensors") in check.found
    assert check.fix


@pytest.mark.parametrize("left", [0, 4, 20])
def test_a_weights_file_cut_within_its_header_is_named(model, left):
    os.truncate(model / "model.safetensors", left)
    check = folder_check("clip", str(model))
    assert check.state == "missing"
    assert "model.safetensors" in check.found


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("config.json", None, "no "),
        ("config.json", "{", "can't be read"),
        ("config.json", "[]", "holds no JSON object"),
        ("config.json", "{}", "names no model class"),
        ("tokenizer.json", None, "lacks a tokenizer"),
        ("tokenizer.json", "", "lacks a tokenizer"),
        ("processor_config.json", None, "lacks a processor"),
        ("model.safetensors", None, "No weights"),
    ],
)
def test_a_missing_or_broken_file_is_named(model, name, content, complaint):
    (model / name).unlink()
    if content is not None:
        (model / name).write_text(content)
    check = folder_check("clip", str(model))
    assert check.state == "missing"
    assert complaint in check.found


def test_every_part_of_split_weights_is_looked_at(model):
    for part in ("one", "two"):
        save_file({part: np.ones(3)}, model / f"{part}.safetensors")
    (model / "model.safetensors").unlink()
    index = {"weight_map": {"one": "one.safetensors", "two": "two.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert folder_check("clip", str(model)).state == "ok"
    shorten(model / "two.safetensors", by=8)
    assert "two.safetensors" in folder_check("clip", str(model)).found


def test_a_missing_folder_that_is_named_like_a_download_gets_the_download_command():
    assert (folder_check("clip", "some/model").fix or "") == "hf download some/model"


def test_a_missing_shipped_model_gets_a_command_that_brings_it_back():
    fix = folder_check("clip", "toybox:nothing").fix or ""
    assert "toybox" in fix
    assert "nothing" in fix


def test_a_package_that_is_too_old_is_named_with_what_is_needed():
    check = requirement_check(Requirement("numpy>=999"), needed=True)
    assert check.state == "missing"
    assert "needed is >=999" in check.found
    assert "'numpy>=999'" in (check.fix or "")


def test_an_optional_package_that_is_missing_is_only_a_note():
    assert requirement_check(Requirement("no-such-package"), needed=False).state == "note"


def test_all_packages_come_from_one_place():
    assert set(package_homes()) == set(OURS)
    assert len(set(package_homes().values())) == 1


def test_a_package_that_another_folder_shadows_is_named(tmp_path):
    check = layout_check("tools", tmp_path / "other", tmp_path)
    assert check.state == "missing"
    assert str(tmp_path / "other") in check.found


def test_a_runs_folder_is_made_only_when_needed(tmp_path):
    assert writable("profile", "runs", tmp_path / "a" / "b").state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_runs_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    assert writable("profile", "runs", tmp_path / "file" / "runs").state == "missing"


def test_a_server_that_answers_is_fit_and_its_models_are_told():
    with serving(200, b'{"data": [{"id": "big-model"}]}') as (url, asked):
        check = server_check("judge", url)
    assert (check.state, asked) == ("ok", ["/v1/models"])
    assert "big-model" in check.found


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (401, b"", "answers 401"),
        (200, b"<html>", "no list of models"),
        (200, b"[]", "no list of models"),
    ],
)
def test_a_server_that_answers_wrongly_is_told_apart(status, body, complaint):
    with serving(status, body) as (url, _):
        check = server_check("judge", url)
    assert check.state == "missing"
    assert complaint in check.found


@pytest.fixture
def free_url() -> str:
    with serving(200, b"") as (url, _):
        return url


@pytest.mark.parametrize("role", ["explainer", "judge"])
def test_a_server_that_is_down_here_gets_the_command_that_starts_it(free_url, role):
    check = server_check(role, free_url, "/my models/judge")
    assert check.state == "missing"
    assert "does not answer" in check.found
    words = shlex.split(check.fix or "")
    serve = get_command(app).commands["serve"]
    asked = serve.make_context("serve", words[words.index("serve") + 1 :]).params
    port = int(free_url.rpartition(":")[2])
    wanted = {"role": role, "model": "/my models/judge", "host": None, "port": port}
    assert {name: asked[name] for name in wanted} == wanted


def test_the_command_that_starts_a_server_names_the_model_that_it_is_asked_for(
    free_url, monkeypatch
):
    server = json.dumps({"base_url": free_url, "model": "/models/big"})
    monkeypatch.setenv("LMMSCOPE_SERVERS__JUDGE", server)
    monkeypatch.setenv("LMMSCOPE_SERVERS__EXPLAINER", free_url)
    fixes = {c.name: c.fix or "" for c in examine().checks if c.section == "servers"}
    assert "serve judge --model /models/big --port" in fixes["judge"]
    assert "serve explainer --model toybox:explainer --port" in fixes["explainer"]


def test_a_server_that_is_down_elsewhere_can_only_be_asked():
    check = server_check("judge", "http://judge.invalid:30000", "/models/judge")
    assert check.fix == "curl --max-time 5 http://judge.invalid:30000/v1/models"


def test_a_role_that_a_server_plays_needs_no_folder(monkeypatch):
    monkeypatch.setenv("LMMSCOPE_MODELS__JUDGE", "/nowhere")
    monkeypatch.setenv("LMMSCOPE_SERVERS__JUDGE", "http://127.0.0.1:1")
    judged = [check for check in examine().checks if check.name == "judge"]
    assert [check.section for check in judged] == ["servers"]


def test_the_diagnosis_covers_every_section_and_says_what_overrules_the_profile(monkeypatch):
    monkeypatch.setenv("LMMSCOPE_THREADS", "1")
    diagnosis = examine()
    sections = {check.section for check in diagnosis.checks}
    assert sections == {
        "machine",
        "packages",
        "layout",
        "profile",
        "models",
        "data",
        "servers",
        "plan",
    }
    profile = next(check for check in diagnosis.checks if check.section == "profile")
    assert "overruled by LMMSCOPE_THREADS" in profile.found


def shown(*checks: Check) -> str:
    console = Console(width=60, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    with console.file:
        show(Diagnosis(profile="p", checks=list(checks)), console)
    return console.export_text()


def test_a_command_is_shown_once_unbroken_with_all_that_it_mends():
    fix = "mend " + "x" * 100
    text = shown(
        Check.missing("models", "explainer", "gone", fix),
        Check.missing("models", "judge", "gone [again]", fix),
    )
    assert text.count(fix) == 1
    assert "models: explainer, models: judge" in text
    assert "gone [again]" in text


def test_notes_do_not_spoil_health():
    text = shown(Check.note("machine", "gpu", "none", "buy one"))
    assert "Everything needed is here" in text
    assert "ask --profile p 'what does feature 3 respond to?'" in text
