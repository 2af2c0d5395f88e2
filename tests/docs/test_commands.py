"""Every command that a text names is there with its options, also where no test types it."""

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from lmmscope.cli import app

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "commands.md"
NOT_READ = ("log.md", REFERENCE.name)
"""What was measured then was measured with the commands of then; the other is made of --help."""
TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "runs/README.md")),
    *(ROOT / "toybox").glob("README.md"),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.name not in NOT_READ),
]
OURS = re.compile(r"(?:^ {4}|`|^\$ )[^`\n]*?(?<!from )\blmmscope ([a-z][^`\n]*)", re.MULTILINE)
"""A line at a prompt, an indented one, or words in a sentence, with what may stand before."""
BENCHMARK = re.compile(r"python -m (benchmarks(?:\.\w+)*)")


def refused(said: str) -> str:
    """What is wrong with a command, if anything."""
    command, words = get_command(app), shlex.split(said, comments=True)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if getattr(command, "commands", None) and words and not words[0].startswith("-"):
        return f"no command {words[0]}"
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    before = words[: words.index("--")] if "--" in words else words
    named = [word.partition("=")[0] for word in before if re.match(r"--?[a-z]", word)]
    return ", ".join(f"no option {name}" for name in named if name not in known)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(text.relative_to(ROOT)))
def test_every_command_that_a_text_names_is_there(text):
    content = text.read_text(encoding="utf-8")
    wrong = {said: why for said in OURS.findall(content) if (why := refused(said))}
    assert wrong == {}
    assert [name for name in BENCHMARK.findall(content) if find_spec(name) is None] == []


def test_what_is_not_there_would_be_found():
    assert refused("indx build") == "no command indx"
    assert refused("batch --feature 3") == "no option --feature"
    assert refused("serve explainer --engine sglang -- --tp-size 8") == ""
    assert OURS.findall("    torchrun -m lmmscope sae train --k 2\n") == ["sae train --k 2"]


def test_the_reference_says_what_help_says():
    words = ["-m", "typer", "lmmscope.cli", "utils", "docs", "--name", "lmmscope"]
    done = subprocess.run(
        [sys.executable, *words, "--title", "Commands"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = REFERENCE.read_text(encoding="utf-8")
    assert said.strip() == done.stdout.strip(), "Try make reference"
