"""A machine with nothing on it, for a user who follows the guides to real models line by line.

What comes from outside is stood in for on its PATH: `hf` copies from a hub of tiny random models in
the published layouts, `pip` installs an engine that answers with forms. All else is the real thing.
"""

from __future__ import annotations

import json
import os
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from lmmscope.cli import app
from tests.lmmscope import stand_in, stand_in_server
from tests.lmmscope.stand_in_targets import write_processor
from tests.sae_core import small_models

ROOT = Path(__file__).parents[2]
SMALL_CODER = ["--features", "64", "--k", "4", "--batch", "64", "--steps", "2"]
FEW = ["--features", "2"]
FEW_QUESTIONS = ["--questions", "8"]
"""What makes long things short: of two options of one name the last counts."""
EXPLAINER = "lmms-lab/llava-onevision-qwen2-72b-ov-sft"
SCRIPTS = {
    "hf": """\
        #!{real}
        import argparse, fnmatch, os, pathlib, shutil, sys
        parser = argparse.ArgumentParser()
        parser.add_argument("verb", choices=["download"])
        parser.add_argument("name")
        parser.add_argument("--repo-type", default="model")
        parser.add_argument("--include", action="append", default=[])
        parser.add_argument("--exclude", action="append", default=[])
        given = parser.parse_args()
        home = f"{{given.repo_type}}s--{{given.name.replace('/', '--')}}"
        there = pathlib.Path({hub!r}, home)
        snapshot = next((there / "snapshots").iterdir())
        def wanted(name):
            left_out = any(fnmatch.fnmatch(name, one) for one in given.exclude)
            return not left_out and any(fnmatch.fnmatch(name, one) for one in given.include or "*")
        found = [file for file in snapshot.rglob("*") if file.is_file()]
        kept = [file for file in found if wanted(str(file.relative_to(snapshot)))]
        blobs = [there / "blobs" / pathlib.Path(os.readlink(file)).name for file in kept]
        for file in [there / "refs" / "main", *blobs, *kept]:
            place = pathlib.Path(os.environ["HF_HUB_CACHE"], home, file.relative_to(there))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            shutil.copyfile(file, place, follow_symlinks=False)
        """,
    "python": """\
        #!/bin/sh
        [ "$1 $2" = "-m venv" ] || exec {real} "$@"
        mkdir -p "$3/bin" && cp {bin}/pip "$3/bin/pip"
        """,
    "pip": """\
        #!/bin/sh
        [ "$1 $2" = "install -r" ] && grep -q "^sglang==" "$3" || exit 2
        cp {bin}/engine "$(dirname "$0")/sglang"
        """,
    "engine": """\
        #!/bin/sh
        exec {real} {server} "$@"
        """,
    "lmmscope": """\
        #!/bin/sh
        exec {real} -m lmmscope "$@"
        """,
}


class GpuBox:
    """Runs lines as they are typed, in their order; what a terminal keeps open stays open."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port, self._open, self._exported = port, [], {}
        self.home, self.bin, hub = folder / "home", folder / "bin", folder / "hub"
        self.cache = self.home / ".cache" / "huggingface" / "hub"
        self.here = self.home / "lmmscope"
        for place in (self.bin, self.cache, self.here):
            place.mkdir(parents=True)
        for file in ROOT.glob("requirements-*.txt"):
            shutil.copyfile(file, self.here / file.name)
        stand_in.drawn(5).convert("RGB").save(self.here / "photo.jpg")
        stand_in.write_all(hub, pictures=20)
        stand_in.write_others(hub)
        write_explainer(stand_in.snapshot(hub, EXPLAINER))
        stand_in.link(hub)
        names = {
            "real": sys.executable, "bin": self.bin, "hub": str(hub),
            "server": stand_in_server.__file__,
        }  # fmt: skip
        for name, text in SCRIPTS.items():
            script = self.bin / name
            script.write_text(textwrap.dedent(text).format(**names))
            script.chmod(0o755)

    @contextmanager
    def there(self) -> Generator[None]:
        """Inside, this process sees that machine; the server's port is one that is free here."""
        url = f"http://127.0.0.1:{self.port}"
        variables = {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": "",
            "HF_HUB_CACHE": str(self.cache),
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "LMMSCOPE_SERVERS__EXPLAINER__BASE_URL": url,
            "LMMSCOPE_SERVERS__JUDGE__BASE_URL": url,
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (variables | self._exported).items():
                patch.setenv(name, value)
            patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(self.cache))
            # The doctor's commands then begin with the python and the lmmscope of that machine.
            patch.setattr(sys, "executable", str(self.bin / "python"))
            patch.chdir(self.here)
            yield

    def types(self, line: str) -> None:
        """One line at the prompt; it has to do what it is there for."""
        with self.there():
            self._run(line, shlex.split(line))

    def _run(self, line: str, words: list[str]) -> None:
        match words:
            case ["lmmscope", "serve", *_]:
                self._serves(line.replace("--port 30000", f"--port {self.port}"))
            case ["lmmscope", *rest]:
                few = SMALL_CODER if rest[:2] == ["sae", "train"] else []
                done = CliRunner().invoke(app, [*rest, *few])
                assert done.exit_code == 0, f"{line}\n{done.output}"
            case ["python", "-m", module, *rest] if module.startswith("benchmarks."):
                few = FEW if ".table" in module else []
                few = few + FEW_QUESTIONS if module.endswith(".table11") else few
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(sys, "argv", [module, *rest, *few])
                    # Another test may have imported it, and what runs must not be there before.
                    package = hasattr(sys.modules.get(module), "__path__")
                    there = f"{module}.__main__" if package else module
                    patch.delitem(sys.modules, there, raising=False)
                    runpy.run_module(module, run_name="__main__")
            case ["export", *given]:
                self._exported |= dict(one.split("=", 1) for one in given)
            case ["source", place]:
                venv = (ROOT / "Makefile").read_text().partition("VENV := ")[2].split()[0]
                assert place == f"{venv}/bin/activate", line
            case _:
                done = subprocess.run(
                    ["bash", "-c", line], capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    def _serves(self, line: str) -> None:
        """In a second terminal, until it says that it serves."""
        started = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._open.append(started)
        said = []
        while not (said and said[-1].startswith("serving")):
            said.append(started.stdout.readline())
            assert said[-1], f"{line}\n{''.join(said)} ended with {started.wait()}"

    def brings_a_model(self, model: str, pictures: str) -> None:
        """A model of the user's own, of another class than the profile's, and pictures."""
        made, processor = small_models.llava_onevision()
        made.save_pretrained(self.here / model)
        options = ("num_image_tokens", "vision_feature_select_strategy", "vision_aspect_ratio")
        about = {name: getattr(processor, name) for name in options}
        write_processor(self.here / model, processor, **about)
        (self.here / pictures).mkdir()
        for seed in range(30):
            stand_in.drawn(seed).save(self.here / pictures / f"{seed}.png")

    def brings_questions(self, name: str) -> None:
        """A file of questions about pictures beside it."""
        (self.here / "asked").mkdir()
        lines = []
        for seed in range(24):
            image = f"asked/{seed}.png"
            stand_in.drawn(seed).save(self.here / image)
            asked, answer = ("is this red", "is this the cat")[seed % 2], ("yes", "no")[seed // 12]
            lines.append(json.dumps({"image": image, "question": asked, "answer": answer}))
        (self.here / name).write_text("\n".join(lines))

    def lacks(self, profile: str) -> dict[str, str]:
        """What the doctor misses, with the command that it prints for it."""
        with self.there():
            told = CliRunner().invoke(app, ["doctor", "--profile", profile, "--json"])
        checks = json.loads(told.stdout)["checks"]
        return {
            f"{one['section']}: {one['name']}": one["fix"]
            for one in checks
            if one["state"] == "missing"
        }

    def close(self) -> None:
        """Ctrl-C in every terminal."""
        for one in self._open:
            one.send_signal(signal.SIGINT)
            one.wait(30)
            one.stdout.close()
        self._open.clear()


def write_explainer(folder: Path) -> None:
    """Nothing reads its weights here: the engine answers without them."""
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlavaQwenForCausalLM"]}))
    save_file({"weight": torch.zeros(1)}, folder / "model.safetensors")
