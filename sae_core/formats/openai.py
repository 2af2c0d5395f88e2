"""The format of OpenAI's sparse_autoencoder: {layer}.pt, and nothing beside it.

Knows this format only. A TopK there normalises its rows, a ReLU does not. What it was trained on
stands in the path it was published under, not in the file: hook and source stay empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.formats.files import (
    Files,
    Stored,
    all_zero,
    arranged,
    cannot,
    coder_config_of,
    layer_of,
    needed,
    opened,
    plain_weights,
    whole,
)

NAMES = {
    "W_enc": "encoder.weight",
    "b_enc": "latent_bias",
    "W_dec": "decoder.weight",
    "b_dec": "pre_bias",
}
ACROSS = ("W_dec",)
UNNAMED = "autoencoder.pt"
"""What the file is called where the layer is not known."""


def fits(file: Path) -> bool:
    """Whether a file is this format's weights, by its name."""
    return file.suffix == ".pt" and (file.stem.isdecimal() or file.name == UNNAMED)


def read(file: Path) -> Stored:
    """The coder of a file."""
    found = opened(file)
    kind, options = found.get("activation", "ReLU"), found.get("activation_state_dict") or {}
    after = options.get("postact_fn", "ReLU")
    if kind not in ("TopK", "ReLU") or after != "ReLU":
        name = f"{kind} with {after}" if kind == "TopK" else kind
        raise UserError(
            f"The activation of {file} is {name!r}: TopK with ReLU, and ReLU, can be read. "
            "Train one of them"
        )
    shape = getattr(needed(found, "encoder.weight", file), "shape", ())
    if len(shape) != 2:
        raise UserError(
            f"encoder.weight in {file} has shape {tuple(shape)}, no table. Fetch it again"
        )
    config = coder_config_of(
        file,
        features=shape[0],
        width=shape[1],
        rule="topk" if kind == "TopK" else "jumprelu",
        k=whole(options, "k", file) if kind == "TopK" else None,
        normalised=kind == "TopK",
    )
    return Stored(config, arranged(file, found, config, NAMES, ACROSS))


def written(coder: SparseCoder) -> Files:
    """The file of a coder, with the statistics that the library's reader asks for."""
    config = coder.config
    if not config.centred:
        cannot("openai", "a coder that is not centred")
    weights = plain_weights(coder, ACROSS)
    state: dict[str, Any] = {theirs: weights[ours] for ours, theirs in NAMES.items()}
    state["stats_last_nonzero"] = torch.zeros(config.features, dtype=torch.long)
    state["latents_activation_frequency"] = torch.ones(config.features)
    state["latents_mean_square"] = torch.zeros(config.features)
    state |= _activation(coder)
    layer = layer_of(config.hook)
    return Files(UNNAMED if layer is None else f"{layer}.pt", state)


def _activation(coder: SparseCoder) -> dict[str, Any]:
    config = coder.config
    if config.rule == "topk":
        if not config.normalised:
            cannot("openai", "a topk coder that does not normalise its rows")
        options = {"k": config.k, "postact_fn": "ReLU"}
        return {"activation": "TopK", "activation_state_dict": options}
    if config.rule != "jumprelu" or not all_zero(coder.threshold):
        cannot("openai", f"a {config.rule} coder with thresholds")
    if config.normalised:
        cannot("openai", "a ReLU coder that normalises its rows")
    return {"activation": "ReLU", "activation_state_dict": {}}
