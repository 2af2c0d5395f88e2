"""A model is named by what it is, wherever it lies."""

from pathlib import Path

from sae_core.weights import named_by_content


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
