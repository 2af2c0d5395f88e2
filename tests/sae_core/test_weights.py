"""Weights that are missing, cut off or something else are named before anything loads them."""

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sae_core.errors import UserError
from sae_core.weights import check_weights


@pytest.fixture
def whole(tmp_path) -> Path:
    path = tmp_path / "model.safetensors"
    tensors = {"a": torch.arange(30.0).reshape(5, 6), "b": torch.ones(7, dtype=torch.bfloat16)}
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def _refusal(path: Path) -> str:
    """The message with which a file is refused; it always names the file and what to do."""
    with pytest.raises(UserError) as caught:
        check_weights(path)
    message = str(caught.value)
    assert str(path) in message
    assert "Restore it" in message
    assert "\n" not in message
    return message


def _with_header(path: Path, header: bytes, data: bytes = b"") -> Path:
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)
    return path


def test_a_whole_file_is_as_long_as_it_says(whole):
    assert check_weights(whole) == whole.stat().st_size


def test_a_file_without_tensors_is_whole(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({}, path)
    assert check_weights(path) == path.stat().st_size


def test_a_missing_file_is_named(tmp_path):
    assert "No weights" in _refusal(tmp_path / "model.safetensors")


def test_an_empty_file_is_named_with_its_size(tmp_path):
    path = tmp_path / "model.safetensors"
    path.touch()
    assert "0 bytes" in _refusal(path)


@pytest.mark.parametrize("lost", [1, 30, 130])
def test_a_truncated_file_is_named_with_the_bytes_it_has_and_should_have(whole, lost):
    content = whole.read_bytes()
    whole.write_bytes(content[:-lost])
    message = _refusal(whole)
    assert f"{len(content) - lost} bytes" in message
    assert str(len(content)) in message


@pytest.mark.parametrize("kept", [1, 7, 8, 20])
def test_a_file_cut_off_inside_its_header_is_named_with_its_size(whole, kept):
    whole.write_bytes(whole.read_bytes()[:kept])
    assert f"{kept} bytes" in _refusal(whole)


def test_a_file_that_has_grown_is_named_with_the_bytes_it_has_and_should_have(whole):
    content = whole.read_bytes()
    whole.write_bytes(content + b"x")
    message = _refusal(whole)
    assert f"{len(content) + 1} bytes" in message
    assert f"{len(content)}." in message


@pytest.mark.parametrize(
    "content",
    [b"version https://git-lfs.github.com/spec/v1\n", b"PK\x03\x04" + bytes(60), b"\xff" * 200],
    ids=["pointer", "zip", "noise"],
)
def test_a_file_of_another_format_is_named_with_its_size(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert f"{len(content)} bytes" in _refusal(path)


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"null",
        b"[1, 2]",
        b"\xff\xfe\xfd",
        b'{"a": 5}',
        b'{"a": {"dtype": "F32"}}',
        b'{"a": {"data_offsets": [0]}}',
        b'{"a": {"data_offsets": [0, null]}}',
        b'{"a": {"data_offsets": [0, "8"]}}',
        b'{"a": {"data_offsets": [0, [8]]}, "b": {"data_offsets": [0, 8]}}',
    ],
    ids=lambda header: ascii(header[:60]),
)
def test_an_unreadable_header_is_named(tmp_path, header):
    path = _with_header(tmp_path / "model.safetensors", header, bytes(8))
    assert "header" in _refusal(path)


def test_metadata_does_not_count_as_a_tensor(tmp_path):
    entry = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": entry}).encode()
    path = _with_header(tmp_path / "model.safetensors", header, bytes(4))
    assert check_weights(path) == path.stat().st_size


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    path.mkdir()
    _refusal(path)
