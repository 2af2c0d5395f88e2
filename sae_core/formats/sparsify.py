"""The format of sparsify and of the published multimodal SAE: one folder a hook point.

    {hook point}/cfg.json + sae.safetensors

Knows this format only. The hook point is the folder's name. A transcoder is a coder that is not
centred; a skip connection is refused unless it adds nothing.
"""

from __future__ import annotations

from pathlib import Path

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.formats.files import (
    Files,
    Stored,
    all_zero,
    arranged,
    cannot,
    coder_config_of,
    hook_of,
    opened,
    plain_weights,
    read_config,
    whole,
)

NAMES = {
    "W_enc": "encoder.weight",
    "b_enc": "encoder.bias",
    "W_dec": "W_dec",
    "b_dec": "b_dec",
}


def fits(file: Path) -> bool:
    """Whether a file is this format's weights."""
    return file.name == "sae.safetensors"


def read(file: Path) -> Stored:
    """The coder in a hook point's folder."""
    config_file = file.with_name("cfg.json")
    cfg = read_config(config_file)
    if cfg.get("signed"):
        raise UserError(
            f"signed=true in {config_file}: features that fire below zero are not supported. "
            "Train it again with signed=false"
        )
    if cfg.get("activation", "topk") != "topk":
        raise UserError(
            f"activation={cfg['activation']!r} in {config_file} is not supported: topk is. "
            "Train it again with topk"
        )
    width = whole(cfg, "d_in", config_file)
    # Not where the file lies: in a hub's cache it is a link to one that is elsewhere.
    name = file.parent.resolve().name
    config = coder_config_of(
        config_file,
        width=width,
        features=cfg.get("num_latents") or width * whole(cfg, "expansion_factor", config_file),
        k=whole(cfg, "k", config_file),
        centred=not cfg.get("transcode"),
        hook=hook_of(name) if "layers." in name else "",
    )
    found = opened(file)
    skip = found.get("W_skip")
    if skip is not None and not all_zero(skip):
        raise UserError(
            f"W_skip in {file} is not zero: its output is not made of features alone. "
            "Train it again with skip_connection=false"
        )
    return Stored(config, arranged(file, found, config, NAMES))


def written(coder: SparseCoder) -> Files:
    """What the folder of a coder holds."""
    config = coder.config
    if config.rule != "topk":
        cannot("sparsify", f"a {config.rule} coder")
    if config.normalised:
        cannot("sparsify", "a coder that normalises its rows")
    weights = plain_weights(coder)
    cfg = {
        "activation": "topk",
        "expansion_factor": max(1, config.features // config.width),
        "normalize_decoder": True,
        "num_latents": config.features,
        "k": config.k,
        "multi_topk": False,
        "skip_connection": False,
        "transcode": not config.centred,
        "d_in": config.width,
    }
    tensors = {theirs: weights[ours] for ours, theirs in NAMES.items()}
    return Files("sae.safetensors", tensors, "cfg.json", cfg)
