"""The Makefile: what is missing is one clear line, an install that was cut is never believed, and a
question arrives as it was typed.

Nothing is installed here: a copy of the Makefile runs with made-up interpreters.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(tmp_path) -> Path:
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make, cleared of what an outer make hands down."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    kept.pop("PYTHON", None)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def interpreter(path: Path, version: tuple[int, int], *, venv: bool = True) -> Path:
    """A stand-in that runs what it is given as if it were Python of that version."""
    pretend = f"import sys; sys.version_info = {version}"
    refuse = "" if venv else 'case "$2" in *ensurepip*) exit 1;; esac\n'
    return script(path, f'{refuse}exec python3 -c "{pretend}\n$2"')


def installed(folder: Path, command: str) -> None:
    """A .venv that is complete, with a made-up lmmscope in it."""
    script(folder / ".venv/bin/lmmscope", command)
    (folder / ".venv/.complete").touch()


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failing make printed."""
    assert result.returncode != 0
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("question", [[], ["Q="], ["Q=   "]])
def test_ask_without_a_question_says_how_to_ask(checkout, question):
    assert 'make ask Q="what does feature 12 respond to?"' in complaint(
        make(checkout, "ask", *question)
    )
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_named_with_its_version(checkout):
    old = interpreter(checkout / "old", (3, 9))
    line = complaint(make(checkout, "test", f"PYTHON={old}"))
    assert f"{old} is Python 3.9, lmmscope needs 3.11 or newer" in line
    assert not (checkout / ".venv").exists()


def test_a_python_that_does_not_run_is_named(checkout):
    assert "PYTHON=/nowhere does not run" in complaint(make(checkout, "test", "PYTHON=/nowhere"))


def test_a_python_without_venv_gets_the_command_that_adds_it(checkout):
    bare = interpreter(checkout / "bare", (3, 12), venv=False)
    line = complaint(make(checkout, "test", f"PYTHON={bare}"))
    assert "sudo apt install python3.12-venv" in line


def test_no_python_at_all_says_how_to_get_one(checkout):
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    line = complaint(make(checkout, "test", PATH=str(tools)))
    assert "no Python found" in line
    assert "sudo apt install python3.11" in line


@pytest.mark.parametrize(
    "question",
    [
        "what is in the picture ?",
        """is "it" there, or isn't it""",
        "does it cost $5 or $HOME, `id` or $(id)",
        "--help",
        "a \\ and a # and a % and ; exit 3",
    ],
)
def test_a_question_arrives_as_it_was_typed(checkout, question):
    installed(checkout, 'printf "%s|" "$@"')
    result = make(checkout, "ask", f"Q={question}")
    assert (result.returncode, result.stdout) == (0, f"ask|--|{question}|")


def test_a_question_is_never_run_by_make(checkout):
    installed(checkout, "true")
    assert make(checkout, "ask", "Q=$(shell touch ran)").returncode == 0
    assert not (checkout / "ran").exists()


def test_a_complete_install_is_used_at_once(checkout):
    installed(checkout, "echo answered")
    assert make(checkout, "ask", "Q=x", "PYTHON=/nowhere").stdout == "answered\n"


@pytest.fixture
def fake(checkout) -> Path:
    """A Python whose venv holds a pip that writes down its arguments, or fails where told to."""
    pip = 'echo "$@" >> calls; [ ! -e fail ] || { echo "no such wheel"; exit 1; }'
    inner = checkout / "inner"
    script(inner, pip)
    made = f'mkdir -p "$3/bin"; cp {inner} "$3/bin/python"'
    return script(
        checkout / "fake",
        f'[ "$1" = -m ] && {{ {made}; exit; }}\nexec python3 "$@"',
    )


def calls(checkout: Path) -> list[str]:
    path = checkout / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.partition(" install ")[2] for line in lines]


PINNED = ["-c constraints.txt torch", "-c constraints.txt -e .[dev,serve]"]


def test_torch_is_installed_first_and_everything_is_pinned(checkout, fake):
    make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert calls(checkout) == PINNED
    make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert calls(checkout) == []


def test_a_failed_install_shows_why_and_is_not_believed(checkout, fake):
    (checkout / "fail").touch()
    result = make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert result.returncode != 0
    assert (
        "no such wheel\nthe install failed; the whole log is in .venv/install.log" in result.stderr
    )
    (checkout / "fail").unlink()
    (checkout / ".venv/half-written").touch()
    calls(checkout)
    again = make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert "an earlier install was interrupted: starting again" in again.stdout
    assert not (checkout / ".venv/half-written").exists()
    assert calls(checkout) == PINNED


def test_new_pins_are_installed_into_the_same_environment(checkout, fake):
    make(checkout, ".venv/.complete", f"PYTHON={fake}")
    (checkout / ".venv/kept").touch()
    calls(checkout)
    os.utime(checkout / ".venv/.complete", (0, 0))
    make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert calls(checkout) == PINNED
    assert (checkout / ".venv/kept").exists()


def test_an_environment_of_the_users_own_is_never_emptied(checkout, fake):
    script(checkout / ".venv/bin/python", 'echo "$@" >> calls')
    (checkout / ".venv/theirs").touch()
    make(checkout, ".venv/.complete", f"PYTHON={fake}")
    assert (checkout / ".venv/theirs").exists()
    assert calls(checkout) == PINNED


def test_help_is_what_make_shows_by_default(checkout):
    assert "make ask" in make(checkout).stdout
