"""Coders survive being written and read, are found where they lie, and are never lost."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.formats.store import FORMATS, convert, describe, load_coder, save_coder

CODERS = Path(__file__).with_name("fixtures") / "coders"
ALL = sorted(FORMATS)
TOPK_HUB = CODERS / "sparsify" / "model.layers.24"


def _coder(seed: int = 0, threshold: float = 0.0, **options) -> SparseCoder:
    """A coder with random weights; its decoder rows are of length one."""
    generator = torch.Generator().manual_seed(seed)
    coder = SparseCoder(CoderConfig(**{"width": 6, "features": 12, "k": 3} | options)).eval()
    with torch.no_grad():
        for weight in (coder.W_enc, coder.b_enc, coder.W_dec, coder.b_dec):
            weight.copy_(torch.randn(weight.shape, generator=generator))
        coder.W_dec.div_(coder.W_dec.norm(dim=1, keepdim=True))
        coder.threshold.fill_(threshold)
    return coder


def _rows(width: int = 6) -> torch.Tensor:
    return 1 + 2 * torch.randn(9, width, generator=torch.Generator().manual_seed(1))


def _refusal(action) -> str:
    with pytest.raises(UserError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    return message


@st.composite
def coders(draw, format_: str) -> SparseCoder:
    """Coders that a format can hold."""
    width, features = draw(st.integers(2, 7)), draw(st.integers(2, 9))
    flags = {"centred": draw(st.booleans()), "normalised": draw(st.booleans())}
    rules = ["topk", "batchtopk", "jumprelu"]
    if format_ == "sparsify":
        rules, flags["normalised"] = ["topk"], False
    if format_ == "openai":
        rules, flags["centred"] = ["topk", "jumprelu"], True
    rule = draw(st.sampled_from(rules))
    if format_ == "openai":
        flags["normalised"] = rule == "topk"
    if format_ == "dictionary_learning":
        flags["normalised"] = False
        flags["centred"] = flags["centred"] or rule != "jumprelu"
    relu = rule == "jumprelu" and (format_ == "openai" or flags["centred"])
    return _coder(
        seed=draw(st.integers(0, 99)),
        width=width,
        features=features,
        k=None if rule == "jumprelu" else draw(st.integers(1, features)),
        rule=rule,
        threshold=0 if relu or rule == "topk" else draw(st.floats(-1, 2, width=16)),
        hook=draw(st.sampled_from(["", "layers.0", "layers.24"])),
        source=draw(st.sampled_from(["", "someone/some-model"])),
        **flags,
    )


UNTOLD = {
    "lmmscope": set(),
    "sparsify": {"hook", "source"},
    "saelens": set(),
    "dictionary_learning": set(),
    "openai": {"hook", "source"},
}
"""What a format has no place for, beside nested groups; none of it changes the forward pass."""


@pytest.mark.parametrize("format_", ALL)
@settings(max_examples=25)
@given(data=st.data())
def test_a_coder_comes_back_bit_for_bit(tmp_path_factory, format_, data):
    coder = data.draw(coders(format_))
    folder = tmp_path_factory.mktemp("saved")
    save_coder(coder, folder, format_)
    back = load_coder(folder)
    told = set(CoderConfig.model_fields) - UNTOLD[format_]
    assert back.config.model_dump(include=told) == coder.config.model_dump(include=told)
    for name, weight in coder.state_dict().items():
        assert torch.equal(back.state_dict()[name], weight), name
    rows = _rows(coder.width)
    assert torch.equal(back(rows), coder(rows))


@settings(max_examples=25)
@given(groups=st.lists(st.integers(1, 4), min_size=1, max_size=4), format_=st.sampled_from(ALL[:2]))
def test_nested_groups_come_back(tmp_path_factory, groups, format_):
    ends = tuple(sum(groups[: i + 1]) for i in range(len(groups)))
    coder = _coder(features=ends[-1], k=1, rule="batchtopk", groups=ends)
    folder = tmp_path_factory.mktemp("saved")
    save_coder(coder, folder, format_)
    assert load_coder(folder).config.groups == ends


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("format_", ["lmmscope", "sparsify", "saelens", "dictionary_learning"])
def test_precision_is_kept(tmp_path, format_, dtype):
    save_coder(_coder().to(dtype), tmp_path, format_)
    assert {tensor.dtype for tensor in load_coder(tmp_path).state_dict().values()} == {dtype}


@pytest.mark.parametrize("format_", ["sparsify", "saelens", "dictionary_learning"])
def test_a_scale_that_a_format_does_not_know_goes_into_the_weights(tmp_path, format_):
    coder = _coder(scale=0.3)
    save_coder(coder, tmp_path, format_)
    back = load_coder(tmp_path)
    assert back.config.scale == 1
    torch.testing.assert_close(back(_rows()), coder(_rows()))
    torch.testing.assert_close(
        back.encode(_rows()).dense(12), coder.encode(_rows()).dense(12), rtol=1e-5, atol=1e-5
    )


def test_our_format_keeps_the_scale(tmp_path):
    save_coder(_coder(scale=0.3), tmp_path)
    assert load_coder(tmp_path).config.scale == 0.3


@pytest.mark.parametrize(
    ("format_", "options", "named"),
    [
        ("sparsify", {"rule": "jumprelu", "k": None}, "jumprelu"),
        ("sparsify", {"normalised": True}, "normalises"),
        ("dictionary_learning", {"normalised": True}, "normalises"),
        ("dictionary_learning", {"centred": False}, "not centred"),
        ("dictionary_learning", {"rule": "jumprelu", "k": None, "threshold": 1.0}, "thresholds"),
        ("openai", {"centred": False}, "not centred"),
        ("openai", {}, "does not normalise"),
        ("openai", {"rule": "batchtopk", "normalised": True}, "batchtopk"),
        ("openai", {"rule": "jumprelu", "k": None, "normalised": True}, "normalises"),
    ],
)
def test_a_format_refuses_a_coder_that_it_would_change(tmp_path, format_, options, named):
    message = _refusal(lambda: save_coder(_coder(**options), tmp_path / "out", format_))
    assert named in message
    assert not (tmp_path / "out").exists()


def test_a_threshold_for_each_feature_is_more_than_dictionary_learning_holds(tmp_path):
    coder = _coder(rule="batchtopk")
    with torch.no_grad():
        coder.threshold[3] = 0.5
    assert "threshold" in _refusal(lambda: save_coder(coder, tmp_path, "dictionary_learning"))


def test_a_relu_coder_that_dictionary_learning_would_rescale_is_refused(tmp_path):
    coder = _coder(rule="jumprelu", k=None)
    with torch.no_grad():
        coder.W_dec[3] *= 2
    assert "length one" in _refusal(lambda: save_coder(coder, tmp_path, "dictionary_learning"))


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    message = _refusal(lambda: save_coder(_coder(), tmp_path, "onnx"))
    assert "'onnx'" in message
    assert all(name in message for name in FORMATS)


def test_the_same_coder_may_be_saved_again(tmp_path):
    save_coder(_coder(), tmp_path)
    assert save_coder(_coder(), tmp_path) == tmp_path / "coder.safetensors"


@pytest.mark.parametrize("format_", ["lmmscope", "dictionary_learning"])
def test_another_coder_is_not_overwritten(tmp_path, format_):
    save_coder(_coder(0), tmp_path, format_)
    assert "exists" in _refusal(lambda: save_coder(_coder(1), tmp_path, format_))
    assert torch.equal(load_coder(tmp_path).W_enc, _coder(0).W_enc)


def test_another_coder_is_overwritten_on_request(tmp_path):
    save_coder(_coder(0), tmp_path)
    save_coder(_coder(1), tmp_path, replace=True)
    assert torch.equal(load_coder(tmp_path).W_enc, _coder(1).W_enc)


def test_a_coder_of_another_format_is_not_mixed_in_even_on_request(tmp_path):
    """Two of the formats call their config cfg.json: one would make the other unreadable."""
    save_coder(_coder(), tmp_path, "sparsify")
    message = _refusal(lambda: save_coder(_coder(), tmp_path, "saelens", replace=True))
    assert "sae.safetensors" in message


def test_a_model_s_config_is_not_overwritten(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert "config.json" in _refusal(lambda: save_coder(_coder(), tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


def test_a_failed_rename_leaves_the_old_coder(tmp_path, monkeypatch):
    save_coder(_coder(0), tmp_path)

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        save_coder(_coder(1), tmp_path, replace=True)
    assert torch.equal(load_coder(tmp_path).W_enc, _coder(0).W_enc)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["coder.safetensors", "config.json"]


def test_what_an_interrupted_save_left_is_completed_by_the_next(tmp_path):
    save_coder(_coder(), tmp_path)
    (tmp_path / "config.json").unlink()
    save_coder(_coder(), tmp_path)
    assert load_coder(tmp_path).config == _coder().config


def test_a_loaded_coder_does_not_change_with_its_file(tmp_path):
    save_coder(_coder(0), tmp_path)
    coder = load_coder(tmp_path)
    file = tmp_path / "coder.safetensors"
    file.write_bytes(bytes(file.stat().st_size))
    assert torch.equal(coder.W_enc, _coder(0).W_enc)


def test_a_loaded_coder_can_be_trained_and_is_not_in_training(tmp_path):
    save_coder(_coder(rule="jumprelu", k=None), tmp_path)
    coder = load_coder(tmp_path)
    assert not coder.training
    assert all(weight.requires_grad for weight in coder.parameters())


def test_a_published_pickle_is_converted_to_ours(tmp_path):
    convert(CODERS / "openai" / "topk", tmp_path / "ours")
    expected = load_file(CODERS / "openai" / "topk" / "expected.safetensors")
    coder = load_coder(tmp_path / "ours")
    assert describe(tmp_path / "ours").format == "lmmscope"
    torch.testing.assert_close(coder(expected["rows"]), expected["reconstruction"])


def test_the_folder_above_a_single_hook_point_stands_for_it(tmp_path):
    shutil.copytree(TOPK_HUB, tmp_path / "model.layers.24")
    assert load_coder(tmp_path).config.hook == "layers.24"


def test_a_coder_in_a_hubs_cache_knows_its_layer(tmp_path):
    """A file there is a link to its bytes, which lie in a folder of another name."""
    (tmp_path / "snapshot" / TOPK_HUB.name).mkdir(parents=True)
    (tmp_path / "blobs").mkdir()
    for number, file in enumerate(("cfg.json", "sae.safetensors")):
        shutil.copyfile(TOPK_HUB / file, tmp_path / "blobs" / str(number))
        place = tmp_path / "snapshot" / TOPK_HUB.name / file
        place.symlink_to(tmp_path / "blobs" / str(number))
    assert load_coder(tmp_path / "snapshot").config.hook == "layers.24"


def test_several_hook_points_are_named_in_order(tmp_path):
    for layer in (24, 8):
        shutil.copytree(TOPK_HUB, tmp_path / f"model.layers.{layer}")
    assert "2 coders: model.layers.8, model.layers.24" in _refusal(lambda: load_coder(tmp_path))


def test_several_layers_of_one_folder_are_named_in_order(tmp_path):
    for layer in (10, 8):
        shutil.copy(CODERS / "openai" / "topk" / "8.pt", tmp_path / f"{layer}.pt")
    assert "2 coders: 8.pt, 10.pt" in _refusal(lambda: describe(tmp_path))


def test_the_state_of_a_training_run_is_no_coder(tmp_path):
    """sparsify keeps its optimizer beside the hook points, in .pt files too."""
    shutil.copytree(TOPK_HUB, tmp_path / "layers.3")
    torch.save({"step": 1}, tmp_path / "optimizer_0.pt")
    assert describe(tmp_path).config.hook == "layers.3"


@pytest.mark.parametrize("file", ["sae.safetensors", "cfg.json"])
def test_half_a_coder_names_the_missing_file(tmp_path, file):
    folder = shutil.copytree(TOPK_HUB, tmp_path / "layers.3")
    (folder / file).unlink()
    assert file in _refusal(lambda: load_coder(folder))


def test_a_folder_without_a_coder_says_what_one_looks_like(tmp_path):
    assert "sae_weights.safetensors" in _refusal(lambda: load_coder(tmp_path))


def test_a_path_that_does_not_exist_is_named(tmp_path):
    assert f"Nothing at {tmp_path / 'none'}" in _refusal(lambda: load_coder(tmp_path / "none"))


def test_description_reads_no_weights(tmp_path, monkeypatch):
    save_coder(_coder(), tmp_path)

    def read(*_):
        raise AssertionError("weights were read")

    monkeypatch.setattr(torch.Tensor, "to", read)
    monkeypatch.setattr(torch.Tensor, "aminmax", read)
    assert describe(tmp_path).shapes["b_dec"] == (6,)


def test_a_format_of_the_future_is_refused(tmp_path):
    save_coder(_coder(), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"version": 1', '"version": 2'))
    assert "version=2" in _refusal(lambda: load_coder(tmp_path))


def test_a_config_that_describes_no_coder_is_named(tmp_path):
    save_coder(_coder(), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"k": 3', '"k": 300'))
    message = _refusal(lambda: load_coder(tmp_path))
    assert str(config) in message
    assert "k=300" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["W_dec", "b_enc"])
def test_weights_that_are_no_numbers_are_refused(tmp_path, name, value):
    save_coder(_coder(), tmp_path)
    tensors = load_file(tmp_path / "coder.safetensors")
    tensors[name].view(-1)[-1] = value
    save_file(tensors, tmp_path / "coder.safetensors")
    assert name in _refusal(lambda: load_coder(tmp_path))


def test_weights_that_are_no_numbers_are_not_written(tmp_path):
    coder = _coder()
    with torch.no_grad():
        coder.W_enc[0, 0] = float("nan")
    assert "W_enc" in _refusal(lambda: save_coder(coder, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["sparsify/skip/sae.safetensors", "openai/topk/8.pt"])
@pytest.mark.parametrize("kept", [0, 5, 60, 0.5, 0.95])
def test_a_truncated_file_is_named(tmp_path, name, kept):
    folder = shutil.copytree((CODERS / name).parent, tmp_path / "layers.3")
    path = folder / Path(name).name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept) if isinstance(kept, float) else kept])
    assert f"{path} is truncated" in _refusal(lambda: load_coder(path))


class _Payload:
    def __reduce__(self):
        return os.mkdir, ("run-by-a-pickle",)


def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"encoder.weight": _Payload()}, tmp_path / "8.pt")
    message = _refusal(lambda: load_coder(tmp_path / "8.pt"))
    assert "mkdir" in message
    assert not (tmp_path / "run-by-a-pickle").exists()


def test_a_pickle_from_before_torch_1_6_is_read(tmp_path):
    state = torch.load(CODERS / "openai" / "topk" / "8.pt", weights_only=True)
    torch.save(state, tmp_path / "8.pt", _use_new_zipfile_serialization=False)
    assert load_coder(tmp_path).config.k == 4


def test_a_whole_model_in_a_pickle_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "8.pt")
    assert "Linear" in _refusal(lambda: load_coder(tmp_path / "8.pt"))
