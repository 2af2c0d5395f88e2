"""What was measured by other code is no result of this one."""

import pytest

from benchmarks.paper import sources
from benchmarks.paper.sources import code, digest_of


@pytest.fixture
def root(tmp_path):
    for name in ("tools/ask.py", "tools/backends/clip.py", "review/page.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("A = 1\n")
    return tmp_path


@pytest.mark.parametrize("changed", ["tools/ask.py", "tools/backends/clip.py", "tools/new.py"])
def test_a_change_in_a_source_makes_another_version(root, changed):
    before = digest_of(root, ["tools"])
    (root / changed).write_text("A = 2\n")
    assert digest_of(root, ["tools"]) != before


def test_a_file_that_was_renamed_makes_another_version(root):
    before = digest_of(root, ["tools"])
    (root / "tools/ask.py").rename(root / "tools/asked.py")
    assert digest_of(root, ["tools"]) != before


def test_what_takes_no_part_is_the_same_version(root):
    before = digest_of(root, ["tools"])
    (root / "review/page.py").write_text("A = 2\n")
    (root / "tools/notes.txt").write_text("changed")
    assert digest_of(root, ["tools"]) == before


def test_every_package_that_takes_part_has_sources_here():
    none = digest_of(sources.HERE, [])
    for name in sources.PACKAGES:
        assert digest_of(sources.HERE, [name]) != none


def test_another_library_is_another_version(monkeypatch):
    before = code()
    monkeypatch.setattr(sources, "version", lambda _: "0")
    assert code.__wrapped__() != before
