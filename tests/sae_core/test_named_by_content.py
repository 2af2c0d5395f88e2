"""A model is named by what it is, wherever it lies."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sae_core.errors import UserError
from sae_core.weights import fingerprint, named_by_content


def test_the_same_weights_elsewhere_are_the_same_model_and_others_in_place_are_not(tmp_path):
    names = []
    for folder, weights in (("one", b"a"), ("two", b"a"), ("two", b"b")):
        where = tmp_path / folder / "clip"
        where.mkdir(parents=True, exist_ok=True)
        (where / "model.safetensors").write_bytes(weights)
        names.append(named_by_content(where))
    assert names[0] == names[1] != names[2]
    assert str(tmp_path) not in names[0]


def test_a_single_file_is_named_by_its_content_and_a_hubs_name_stays(tmp_path):
    path = tmp_path / "sam.pth"
    path.write_bytes(b"a")
    before = named_by_content(path)
    path.write_bytes(b"b")
    assert before != named_by_content(path)
    assert named_by_content(Path("openai/clip-vit-base-patch32")) == "openai/clip-vit-base-patch32"


def model(folder, **changed):
    """Three tensors: a long one, a short one between, and one as long as a block."""
    folder.mkdir(exist_ok=True)
    tensors = {"a": torch.zeros(600_000), "b": torch.zeros(3), "c": torch.zeros(1000)} | changed
    save_file(tensors, folder / "model-00001-of-00001.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def test_a_fingerprint_is_of_what_lies_in_the_folder_not_of_the_folder(tmp_path):
    assert fingerprint(model(tmp_path / "one")) == fingerprint(model(tmp_path / "two"))


@pytest.mark.parametrize(
    "changed",
    [
        {"b": torch.tensor([0.0, 0.0, 1e-3])},
        {"a": torch.full((600_000,), 1e-6)},
        {"d": torch.zeros(1)},
        {"c": torch.zeros(10, 100)},
    ],
)
def test_a_model_that_was_trained_on_has_another_fingerprint(tmp_path, changed):
    before = fingerprint(model(tmp_path / "one"))
    assert fingerprint(model(tmp_path / "one", **changed)) != before


def test_so_has_one_that_is_prepared_otherwise_or_pickled_otherwise(tmp_path):
    folder = model(tmp_path / "one")
    seen = [fingerprint(folder)]
    (folder / "config.json").write_text('{"rope": 2}')
    seen.append(fingerprint(folder))
    (folder / "model-00001-of-00001.safetensors").unlink()
    for byte in (b"a", b"b"):
        (folder / "pytorch_model.bin").write_bytes(bytes(1 << 20) + byte)
        seen.append(fingerprint(folder))
    assert len(set(seen)) == len(seen)


def test_the_fingerprint_of_a_broken_file_is_refused(tmp_path):
    folder = model(tmp_path / "one")
    path = folder / "model-00001-of-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="instead of"):
        fingerprint(folder)
