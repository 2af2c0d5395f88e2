"""Artefacts are kept by their content; what keeps them from being kept is told in one line."""

import errno
import os

import pytest
from PIL import Image

from sae_core.errors import UserError
from tools.artefacts import Artefacts


def test_equal_content_is_one_file_and_comes_back_as_it_was(tmp_path):
    artefacts = Artefacts(tmp_path)
    assert artefacts.put(b"some") == artefacts.put(b"some")
    assert artefacts.get(artefacts.put(b"some")) == b"some"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    artefacts = Artefacts(tmp_path)
    kept = artefacts.put(b"before")
    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(UserError, match=r"can't be written to: No space left.*another runs folder"):
        artefacts.put(b"after")
    assert artefacts.get(kept) == b"before"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "artefacts").write_text("")
    with pytest.raises(UserError, match="artefacts can't be written to"):
        Artefacts(tmp_path / "artefacts").put(b"some")


def test_an_artefact_says_whether_it_is_a_picture(tmp_path):
    artefacts = Artefacts(tmp_path)
    assert artefacts.is_picture(artefacts.put_picture(Image.new("L", (2, 2))))
    assert not artefacts.is_picture(artefacts.put(b'{"a": 1}'))
    assert not artefacts.is_picture("0" * 64)


@pytest.mark.parametrize("start", ["", "a", "..", "*", "../..", "zz", "A" * 6, "0" * 65])
def test_only_the_beginning_of_an_id_finds_artefacts(tmp_path, start):
    artefacts = Artefacts(tmp_path)
    name = artefacts.put(b"some")
    assert artefacts.beginning(name[:6]) == artefacts.beginning(name) == [name]
    assert artefacts.beginning(start) == []


def test_what_a_power_cut_left_empty_is_made_anew(tmp_path):
    artefacts = Artefacts(tmp_path)
    name = artefacts.put(b"some")
    (tmp_path / name[:2] / name).write_bytes(b"")
    assert artefacts.get(artefacts.put(b"some")) == b"some"
