"""What a notebook of a user's is written against is typed for their checker, too."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]
RIGHT = """
from lmmscope import Scope

with Scope() as scope:
    answer = scope.ask("what does feature 12 respond to?")
    names: list[str] = [one.status for one in answer.findings]
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").exists()


def checked(tmp_path, text):
    path = tmp_path / "notebook.py"
    path.write_text(text)
    ty = [Path(sys.executable).parent / "ty", "check", "--python", sys.prefix, path]
    return subprocess.run(ty, cwd=tmp_path, capture_output=True, text=True)


def test_a_users_checker_knows_the_api(tmp_path):
    done = checked(tmp_path, RIGHT)
    assert done.returncode == 0, done.stdout
    wrong = checked(tmp_path, RIGHT.replace("one.status", "one.feature_status"))
    assert wrong.returncode == 1
    assert "feature_status" in wrong.stdout
