"""The format of SAELens: cfg.json + sae_weights.safetensors, W_enc laid across.

Knows this format only, versions 3 to 6 of it. A BatchTopK coder is a jumprelu there once it is
trained, and says in its metadata what it was; that is how it is written here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.formats.files import (
    Files,
    Stored,
    arranged,
    coder_config_of,
    hook_of,
    layer_of,
    opened,
    plain_weights,
    read_config,
    whole,
)

NAMES = {name: name for name in ("W_enc", "b_enc", "W_dec", "b_dec")}
ACROSS = ("W_enc",)
THRESHOLDS = {"jumprelu": "threshold", "batchtopk": "topk_threshold"}
ARCHITECTURES = ("standard", "topk", "jumprelu", "batchtopk")
LAYOUT = "6.0.0"
"""SAELens reads configs that name no version, or an older one, by older rules."""


def fits(file: Path) -> bool:
    """Whether a file is this format's weights."""
    return file.name == "sae_weights.safetensors"


def read(file: Path) -> Stored:
    """The coder of a folder."""
    config_file = file.with_name("cfg.json")
    cfg = _modern(read_config(config_file))
    _check(cfg, config_file)
    kind = cfg["architecture"]
    config = coder_config_of(
        config_file,
        width=whole(cfg, "d_in", config_file),
        features=whole(cfg, "d_sae", config_file),
        centred=bool(cfg.get("apply_b_dec_to_input", True)),
        normalised=cfg.get("normalize_activations") == "layer_norm",
        **_selection(cfg, config_file),
        **_origin(cfg),
    )
    names = NAMES | ({"threshold": THRESHOLDS[kind]} if kind in THRESHOLDS else {})
    weights = arranged(file, opened(file), config, names, ACROSS)
    return Stored(config, weights, unit=bool(cfg.get("rescale_acts_by_decoder_norm")))


def _modern(cfg: dict[str, Any]) -> dict[str, Any]:
    """A config of versions 3 to 5 in the words of version 6."""
    cfg = {"architecture": "standard", "metadata": {}} | cfg
    cfg["normalize_activations"] = cfg.get("normalize_activations") or "none"
    options = cfg.get("activation_fn_kwargs") or {}
    if "topk" in (cfg.get("activation_fn"), cfg.get("activation_fn_str")) and "k" in options:
        cfg |= {"architecture": "topk", "k": options["k"]}
    return cfg


def _check(cfg: Mapping[str, Any], file: Path) -> None:
    """Refuse what the library would compute and our coder would not."""
    known = {
        "architecture": ARCHITECTURES,
        "normalize_activations": ("none", "layer_norm"),
        "reshape_activations": ("none",),
        "activation_fn": ("relu", "topk"),
        "activation_fn_str": ("relu", "topk"),
        "finetuning_scaling_factor": (False, None),
    }
    for key, values in known.items():
        if cfg.get(key, values[0]) not in values:
            raise UserError(
                f"{key}={cfg[key]!r} in {file} is not supported: "
                f"{', '.join(str(value) for value in values)} can be read. "
                "Fold it into the weights with SAELens where that works, and save again"
            )


def _selection(cfg: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Which features fire; a jumprelu may remember that it was trained as a batchtopk."""
    metadata = cfg["metadata"]
    details = metadata.get("training_architecture_details") or {}
    if cfg["architecture"] in ("topk", "batchtopk"):
        return {"rule": cfg["architecture"], "k": whole(cfg, "k", file)}
    if metadata.get("training_architecture") == "batchtopk" and "k" in details:
        return {"rule": "batchtopk", "k": whole(details, "k", file)}
    return {"rule": "jumprelu"}


def _origin(cfg: Mapping[str, Any]) -> dict[str, str]:
    told = {**cfg, **cfg["metadata"]}
    hook = told.get("hook_name") or told.get("hook_point") or ""
    return {"hook": hook_of(hook), "source": told.get("model_name") or ""}


def written(coder: SparseCoder) -> Files:
    """What the folder of a coder holds."""
    config = coder.config
    layer = layer_of(config.hook)
    metadata: dict[str, Any] = {
        "sae_lens_version": LAYOUT,
        "model_name": config.source,
        "hook_name": config.hook if layer is None else f"blocks.{layer}.hook_resid_post",
    }
    cfg: dict[str, Any] = {
        "architecture": "topk" if config.rule == "topk" else "jumprelu",
        "d_in": config.width,
        "d_sae": config.features,
        "dtype": str(coder.W_enc.dtype).removeprefix("torch."),
        "device": "cpu",
        "apply_b_dec_to_input": config.centred,
        "normalize_activations": "layer_norm" if config.normalised else "none",
        "reshape_activations": "none",
        "metadata": metadata,
    }
    weights = plain_weights(coder, ACROSS)
    if config.rule == "topk":
        cfg |= {"k": config.k, "rescale_acts_by_decoder_norm": False}
        del weights["threshold"]
    if config.rule == "batchtopk":
        metadata["training_architecture"] = "batchtopk"
        metadata["training_architecture_details"] = {"k": config.k}
    return Files("sae_weights.safetensors", weights, "cfg.json", cfg)
