"""A user with a GPU box gets to the paper's models by following README and guides literally."""

import re
import shlex
import socket

import pytest
from click.testing import CliRunner
from huggingface_hub.cli.hf import app as hf

from lmmscope import doctor_plan, engines
from lmmscope.settings import known_profiles, load_settings
from tests.docs.gpu_box import ROOT, GpuBox

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROFILE = "llava-next-8b"
REAL = [name for name in known_profiles() if name != "toybox"]


def section():
    """What the README says of real models."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("\n## On real models\n")[2].partition("\n## ")[0]


def page(name):
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def commands(text):
    """The lines at a prompt, in their order."""
    blocks = [block for kind, block in FENCE.findall(text) if kind == "console"]
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


def new_box(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return GpuBox(folder, port)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A machine on which every line of the README's section was typed."""
    box = new_box(tmp_path_factory.mktemp("box"))
    try:
        for line in commands(section()):
            box.types(line)
        yield box
    finally:
        box.close()


@pytest.mark.parametrize("verb", ["doctor", "serve", "index build", "batch", "ask", "steer"])
def test_the_readme_leads_to_answers_from_the_papers_models(followed, verb):
    assert any(line.startswith(f"lmmscope {verb} ") for line in commands(section()))
    assert followed.lacks(PROFILE) == {}


def test_what_the_doctor_prints_on_an_empty_machine_makes_it_content(tmp_path):
    box = new_box(tmp_path)
    try:
        missing = box.lacks(PROFILE)
        for line in dict.fromkeys(missing.values()):
            box.types(line)
        assert box.lacks(PROFILE) == {}
    finally:
        box.close()
    named = {
        str(box.home): "~", f"{box.bin}/": "", f"{engines.CHECKOUT}/": "", str(box.port): "30000"
    }  # fmt: skip
    for line in missing.values():
        for there, usual in named.items():
            line = line.replace(there, usual)
        assert line in commands(section())


def test_the_hubs_own_client_understands_every_download():
    lines = commands(section()) + commands(page("paper"))
    downloads = [shlex.split(line)[1:] for line in lines if line.startswith("hf ")]
    assert len(downloads) > 8
    for words in downloads:
        # What it does not know it refuses before it helps.
        assert CliRunner().invoke(hf, [*words, "--help"]).exit_code == 0, words
    assert CliRunner().invoke(hf, ["download", "a/b", "--unknown", "--help"]).exit_code != 0


def test_a_model_of_ones_own_comes_to_a_finding_as_its_guide_says(followed):
    followed.brings_a_model("models/mine", "pictures")
    known = {"__name__": "own-model"}
    for kind, snippet in FENCE.findall(page("own-model")):
        match kind:
            case "console":
                for line in commands(f"```console\n{snippet}```"):
                    followed.types(line)
            case "toml":
                (followed.here / "own.toml").write_text(snippet, encoding="utf-8")
            case "python":
                with followed.there():
                    exec(compile(snippet, "own-model.md", "exec"), known)
            case _:
                pytest.fail(f"nothing runs a snippet of {kind}")
    assert followed.lacks("own.toml") == {}


def test_the_guide_to_the_paper_trains_as_the_doctor_says(followed):
    """Where a coder is to be trained."""
    typed = commands(page("paper"))
    for profile in REAL:
        fix = followed.lacks(profile).get("models: sae")
        assert fix is None or fix in typed


@pytest.mark.parametrize("profile", REAL)
def test_the_guide_to_the_paper_tells_what_the_doctor_works_out(profile, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor_plan, "accelerator", lambda: ("an A100", doctor_plan.PEAKS["A100"]))
    found = {one.name: one.found for one in doctor_plan.examine(load_settings(profile))}
    memory = found["GPU memory"].removeprefix("about ").partition(":")[0]
    index = found["index"].removeprefix("explore ").partition(" for")[0]
    download = found["download"].partition(":")[0]
    assert f"| `{profile}` | {memory} | {download} | {index} |" in page("paper")


def test_every_command_of_the_guide_to_the_paper_runs(followed):
    followed.brings_questions("questions.jsonl")
    for line in commands(page("paper")):
        followed.types(line)
