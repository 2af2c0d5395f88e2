"""A file is there whole, or not at all."""

from pathlib import Path

import pytest

from tools.written import written


def test_what_is_written_replaces_what_was_there_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "some" / "where.json"
    written(path, b"before")
    written(path, b"after")
    assert path.read_bytes() == b"after"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "kept"
    written(path, b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        written(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
