"""Coders of other libraries compute here what they compute at home, or are refused by name.

The files under fixtures/coders were written by the libraries themselves (fixtures/make_coders.py),
and so were the numbers that are expected.
"""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sae_core.errors import UserError
from sae_core.formats.store import describe, load_coder

CODERS = Path(__file__).with_name("fixtures") / "coders"
VARIANTS = sorted(file.parent for file in CODERS.glob("*/*/expected.safetensors"))
NAMES = [f"{folder.parent.name}-{folder.name}" for folder in VARIANTS]


@pytest.fixture
def copied(tmp_path):
    """A fixture's folder, to be spoiled."""

    def copy(name: str) -> Path:
        return shutil.copytree(CODERS / name, tmp_path / Path(name).name)

    return copy


def _edit(file: Path, *inside: str, **changes: object) -> None:
    config = part = json.loads(file.read_text())
    for key in inside:
        part = part[key]
    part.update(changes)
    file.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def _refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_coder(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("folder", VARIANTS, ids=NAMES)
def test_features_are_those_of_the_library(folder):
    expected = load_file(folder / "expected.safetensors")
    coder = load_coder(folder)
    features = coder.encode(expected["rows"]).dense(coder.features)
    torch.testing.assert_close(features, expected["features"], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("folder", VARIANTS, ids=NAMES)
def test_the_reconstruction_is_the_library_s(folder):
    expected = load_file(folder / "expected.safetensors")
    out = load_coder(folder)(expected["rows"])
    torch.testing.assert_close(out, expected["reconstruction"], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "format_", "facts"),
    [
        ("sparsify/model.layers.24", "sparsify", {"rule": "topk", "k": 4, "hook": "layers.24"}),
        ("sparsify/transcoder", "sparsify", {"centred": False, "hook": ""}),
        (
            "saelens/topk",
            "saelens",
            {"rule": "topk", "hook": "layers.3", "source": "lmmscope/toybox-target"},
        ),
        ("saelens/topk_layer_norm", "saelens", {"normalised": True, "centred": True}),
        ("saelens/jumprelu", "saelens", {"rule": "jumprelu", "k": None, "centred": False}),
        ("saelens/standard", "saelens", {"rule": "jumprelu", "normalised": False}),
        ("saelens/batchtopk", "saelens", {"rule": "batchtopk", "k": 4}),
        ("saelens/batchtopk_inference", "saelens", {"rule": "batchtopk", "k": 4}),
        ("dictionary/relu", "dictionary_learning", {"rule": "jumprelu", "centred": True}),
        ("dictionary/relu_new", "dictionary_learning", {"rule": "jumprelu", "centred": False}),
        ("dictionary/topk", "dictionary_learning", {"rule": "topk", "k": 4, "hook": "layers.24"}),
        ("dictionary/batchtopk", "dictionary_learning", {"rule": "batchtopk", "groups": ()}),
        ("dictionary/matryoshka", "dictionary_learning", {"groups": (6, 12, 24)}),
        ("openai/topk", "openai", {"rule": "topk", "k": 4, "normalised": True}),
        ("openai/relu", "openai", {"rule": "jumprelu", "normalised": False}),
    ],
)
def test_description_says_what_the_library_s_config_says(name, format_, facts):
    told = describe(CODERS / name)
    assert told.format == format_
    assert {key: getattr(told.config, key) for key in facts} == facts


@pytest.mark.parametrize("folder", VARIANTS, ids=NAMES)
def test_the_tables_are_described_in_our_layout(folder):
    told = describe(folder)
    assert told.shapes["W_enc"] == told.shapes["W_dec"] == (24, 8)
    assert told.dtype == "float32"
    assert told.size == told.file.stat().st_size


def test_unknown_config_keys_are_tolerated(copied):
    folder = copied("sparsify/model.layers.24")
    _edit(folder / "cfg.json", signed=False, from_a_later_version={"a": 1})
    assert load_coder(folder).config == load_coder(CODERS / "sparsify/model.layers.24").config


def test_features_that_fire_below_zero_are_refused(copied):
    folder = copied("sparsify/model.layers.24")
    _edit(folder / "cfg.json", signed=True)
    assert "signed=true" in _refusal(folder)


def test_another_activation_of_sparsify_is_refused(copied):
    folder = copied("sparsify/model.layers.24")
    _edit(folder / "cfg.json", activation="groupmax")
    assert "activation='groupmax'" in _refusal(folder)


def test_a_skip_connection_that_adds_something_is_refused(copied):
    folder = copied("sparsify/skip")
    tensors = load_file(folder / "sae.safetensors")
    tensors["W_skip"][2, 3] = 0.1
    save_file(tensors, folder / "sae.safetensors")
    assert "W_skip" in _refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("architecture", "gated"),
        ("normalize_activations", "expected_average_only_in"),
        ("normalize_activations", "constant_norm_rescale"),
        ("normalize_activations", True),
        ("reshape_activations", "hook_z"),
        ("activation_fn_str", "tanh-relu"),
        ("finetuning_scaling_factor", True),
    ],
)
def test_what_saelens_would_compute_otherwise_is_refused_by_its_key(copied, key, value):
    folder = copied("saelens/standard")
    _edit(folder / "cfg.json", **{key: value})
    assert f"{key}={value!r}" in _refusal(folder)


def test_a_config_of_an_older_saelens_is_read(copied):
    """Before version 6, topk was an activation function, and the origin was not in metadata."""
    folder = copied("saelens/topk")
    (folder / "cfg.json").write_text(
        json.dumps(
            {
                "architecture": "standard",
                "d_in": 8,
                "d_sae": 24,
                "activation_fn_str": "topk",
                "activation_fn_kwargs": {"k": 4},
                "apply_b_dec_to_input": True,
                "normalize_activations": False,
                "model_name": "lmmscope/toybox-target",
                "hook_name": "blocks.3.hook_resid_post",
            }
        )
    )
    assert load_coder(folder).config == load_coder(CODERS / "saelens/topk").config


def test_an_unknown_class_of_dictionary_learning_is_refused(copied):
    folder = copied("dictionary/relu")
    _edit(folder / "config.json", "trainer", dict_class="GatedAutoEncoder")
    assert "dict_class='GatedAutoEncoder'" in _refusal(folder)


def test_a_step_s_file_finds_the_config_of_its_trainer(copied):
    folder = copied("dictionary/topk")
    (folder / "checkpoints").mkdir()
    step = (folder / "ae.pt").rename(folder / "checkpoints" / "ae_500.pt")
    assert describe(step).config == describe(CODERS / "dictionary/topk").config


@pytest.mark.parametrize(
    ("activation", "after"), [("Identity", "ReLU"), ("TopK", "Identity"), ("Tanh", "ReLU")]
)
def test_an_activation_of_openai_that_lets_negatives_through_is_refused(copied, activation, after):
    folder = copied("openai/topk")
    state = torch.load(folder / "8.pt", weights_only=True)
    state["activation"], state["activation_state_dict"]["postact_fn"] = activation, after
    torch.save(state, folder / "8.pt")
    assert "activation" in _refusal(folder)


@pytest.mark.parametrize(
    ("name", "config", "key"),
    [
        ("sparsify/model.layers.24", "cfg.json", "k"),
        ("sparsify/expansion", "cfg.json", "d_in"),
        ("saelens/topk", "cfg.json", "d_sae"),
        ("dictionary/topk", "config.json", "trainer"),
    ],
)
def test_a_missing_config_key_is_named(copied, name, config, key):
    folder = copied(name)
    _edit(folder / config, **{key: None})
    assert f"lacks {key}" in _refusal(folder)


@pytest.mark.parametrize(
    ("name", "config", "inside", "key"),
    [
        ("sparsify/model.layers.24", "cfg.json", (), "num_latents"),
        ("saelens/jumprelu", "cfg.json", (), "d_sae"),
        ("dictionary/matryoshka", "config.json", ("trainer",), "activation_dim"),
    ],
)
def test_a_wrong_shape_is_named_with_both_shapes(copied, name, config, inside, key):
    folder = copied(name)
    _edit(folder / config, *inside, **{key: 30})
    message = _refusal(folder)
    assert "W_enc" in message or "encoder.weight" in message
    assert "(24, 8)" in message or "(8, 24)" in message
    assert "30" in message.split("instead of")[1]


@pytest.mark.parametrize(
    ("name", "file", "tensor"),
    [
        ("sparsify/model.layers.24", "sae.safetensors", "encoder.bias"),
        ("saelens/jumprelu", "sae_weights.safetensors", "threshold"),
        ("dictionary/topk", "ae.pt", "b_dec"),
        ("openai/topk", "8.pt", "pre_bias"),
    ],
)
def test_a_missing_tensor_is_named(copied, name, file, tensor):
    path = copied(name) / file
    pickled = path.suffix == ".pt"
    tensors = torch.load(path, weights_only=True) if pickled else load_file(path)
    del tensors[tensor]
    torch.save(tensors, path) if pickled else save_file(tensors, path)
    assert f"lacks the tensor {tensor}" in _refusal(path)
