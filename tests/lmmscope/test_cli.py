"""The command line's manners: exit codes, one-line errors, tracebacks for bugs, a quick start."""

import json
import subprocess
import sys
import time

import pytest
import typer
from typer.testing import CliRunner

from lmmscope import __version__
from lmmscope.cli import app
from lmmscope.exits import TidyGroup
from sae_core.errors import UserError


@pytest.fixture
def run():
    def invoke(*arguments: str, command: typer.Typer = app):
        return CliRunner().invoke(command, arguments)

    return invoke


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_version(run):
    assert run("--version").stdout == f"lmmscope {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["doctor"],
        ["ask"],
        ["batch"],
        ["steer"],
        ["runs"],
        ["toybox"],
        ["toybox", "answer"],
        ["toybox", "gallery"],
        ["toybox", "bench"],
    ],
)
def test_every_command_explains_itself(run, arguments):
    result = run(*arguments, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["doctor", "--profile", "toybx"], "'toybx'"),
        (["ask", "why ?", "--profile", "nowhere.toml"], "nowhere.toml"),
        (["toybox", "answer", "why ?", "--fit"], "--fit"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(run, arguments, culprit):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert culprit in result.stderr


def test_asking_about_a_model_that_is_not_there_names_it(run, monkeypatch, tmp_path):
    monkeypatch.setenv("LMMSCOPE_MODELS__TARGET", "/models/other")
    result = run("ask", "what does feature 3 respond to?", "--runs", str(tmp_path))
    assert result.exit_code == 2
    assert "/models/other" in result.stderr
    assert result.stderr.count("\n") == 1


def test_doctor_prints_json_and_its_exit_code_is_its_verdict(run, monkeypatch):
    monkeypatch.setenv("LMMSCOPE_MODELS__CLIP", "/nowhere")
    result = run("doctor", "--json")
    diagnosis = json.loads(result.stdout)
    assert (result.exit_code, diagnosis["healthy"]) == (1, False)
    clip = next(check for check in diagnosis["checks"] if check["name"] == "clip")
    assert clip["state"] == "missing"


@pytest.fixture
def failing():
    """A group with a sub-group, as the real one, whose command raises what it is given."""

    def build(error: BaseException) -> typer.Typer:
        root = typer.Typer(cls=TidyGroup, pretty_exceptions_enable=False)
        sub = typer.Typer()

        @sub.command()
        def fail() -> None:
            raise error

        @sub.command()
        def other() -> None:
            pass

        root.add_typer(sub, name="sub")
        return root

    return build


def test_a_mistake_in_a_sub_command_stays_one_line(run, failing):
    result = run("sub", "fail", command=failing(UserError("bad\n  colour")))
    assert (result.exit_code, result.stderr) == (2, "bad colour\n")


def test_ctrl_c_is_quiet(run, failing):
    result = run("sub", "fail", command=failing(KeyboardInterrupt()))
    assert (result.exit_code, result.output) == (130, "")


def test_a_bug_keeps_its_traceback(run, failing):
    result = run("sub", "fail", command=failing(RuntimeError("a bug")))
    assert isinstance(result.exception, RuntimeError)


HEAVY = "torch transformers numpy PIL pydantic pydantic_settings rich toybox.world toybox.answer"


def test_importing_the_command_line_imports_nothing_heavy():
    loaded = python("import sys, lmmscope.cli; print(*sys.modules)").split()
    assert set(HEAVY.split()) & set(loaded) == set()


def test_importing_the_command_line_is_quick():
    """Under 0.3 s; the best of some, since other programs may keep the machine busy."""

    def seconds(code: str) -> float:
        began = time.perf_counter()
        python(code)
        return time.perf_counter() - began

    bare = min(seconds("pass") for _ in range(3))
    assert min(seconds("import lmmscope.cli") for _ in range(3)) - bare < 0.3
