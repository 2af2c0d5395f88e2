"""The format of dictionary_learning: config.json + ae.pt, tensors named after the class.

Knows this format only. Files of step n in training are called ae_n.pt, in a folder below the
config's. The library's reader gives an AutoEncoder unit decoder rows, so ours does, too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

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
    layer_of,
    needed,
    opened,
    plain_weights,
    read_config,
    whole,
)

LINEAR = {"W_enc": "encoder.weight", "b_enc": "encoder.bias", "W_dec": "decoder.weight"}
TABLES = {"W_enc": "W_enc", "b_enc": "b_enc", "W_dec": "W_dec", "b_dec": "b_dec"}
NAMES = {
    "AutoEncoder": LINEAR | {"b_dec": "bias"},
    "AutoEncoderNew": LINEAR | {"b_dec": "decoder.bias"},
    "AutoEncoderTopK": LINEAR | {"b_dec": "b_dec"},
    "BatchTopKSAE": LINEAR | {"b_dec": "b_dec", "threshold": "threshold"},
    "MatryoshkaBatchTopKSAE": TABLES | {"threshold": "threshold"},
    "JumpReluAutoEncoder": TABLES | {"threshold": "threshold"},
}
RULES = {
    "AutoEncoderTopK": "topk",
    "BatchTopKSAE": "batchtopk",
    "MatryoshkaBatchTopKSAE": "batchtopk",
}
UNCENTRED = ("AutoEncoderNew", "JumpReluAutoEncoder")
UNMEASURED = -1.0
"""What stands for a threshold that was never measured: everything positive fires."""


def _across(kind: str) -> tuple[str, ...]:
    return ("W_dec",) if NAMES[kind]["W_dec"] == "decoder.weight" else ("W_enc",)


def fits(file: Path) -> bool:
    """Whether a file is this format's weights."""
    return re.fullmatch(r"ae(_\d+)?\.pt", file.name) is not None


def read(file: Path) -> Stored:
    """The coder of a trainer's folder."""
    beside, above = file.with_name("config.json"), file.parent.with_name("config.json")
    config_file = above if above.exists() and not beside.exists() else beside
    trainer = needed(read_config(config_file), "trainer", config_file)
    kind = needed(trainer, "dict_class", config_file)
    if kind not in NAMES:
        raise UserError(
            f"dict_class={kind!r} in {config_file} is not supported: {', '.join(NAMES)} are. "
            "Train one of them"
        )
    found = opened(file)
    config = coder_config_of(
        config_file,
        width=whole(trainer, "activation_dim", config_file),
        features=whole(trainer, "dict_size", config_file),
        rule=RULES.get(kind, "jumprelu"),
        k=whole(trainer, "k", config_file) if kind in RULES else None,
        groups=_groups(found, file) if kind.startswith("Matryoshka") else (),
        centred=kind not in UNCENTRED,
        hook=_hook(trainer),
        source=trainer.get("lm_name") or "",
    )
    weights = arranged(file, found, config, NAMES[kind], _across(kind))
    return Stored(config, weights, unit=kind == "AutoEncoder")


def _groups(found: dict[str, Any], file: Path) -> tuple[int, ...]:
    """The library keeps each group's own size; ours are sizes of the nested dictionaries."""
    sizes = needed(found, "group_sizes", file)
    return tuple(torch.as_tensor(sizes).cumsum(0).tolist())


def _hook(trainer: dict[str, Any]) -> str:
    """Modules are named freely; its own scripts call a block's output resid_post_layer_n."""
    name = trainer.get("submodule_name") or ""
    found = re.fullmatch(r"resid_post_layer_(\d+)", name)
    return f"layers.{found[1]}" if found else hook_of(name)


def written(coder: SparseCoder) -> Files:
    """What a trainer's folder holds for a coder."""
    config = coder.config
    if config.normalised:
        cannot("dictionary_learning", "a coder that normalises its rows")
    kind = _kind(coder)
    weights = plain_weights(coder, _across(kind))
    tensors: dict[str, Any] = {theirs: weights[ours] for ours, theirs in NAMES[kind].items()}
    trainer = {
        "dict_class": kind,
        "activation_dim": config.width,
        "dict_size": config.features,
        "layer": layer_of(config.hook),
        "lm_name": config.source,
        "submodule_name": config.hook,
    }
    if trainer["layer"] is not None:
        trainer["submodule_name"] = f"resid_post_layer_{trainer['layer']}"
    if kind in RULES:
        trainer["k"] = config.k
        tensors["k"] = torch.tensor(config.k, dtype=torch.int32)
        tensors["threshold"] = _one_threshold(coder)
    if kind.startswith("Matryoshka"):
        edges = torch.tensor((0, *config.groups))
        tensors["group_sizes"] = edges.diff()
        trainer["group_sizes"] = edges.diff().tolist()
    return Files("ae.pt", tensors, "config.json", {"trainer": trainer})


def _kind(coder: SparseCoder) -> str:
    """The library's class that computes what a coder computes."""
    config = coder.config
    if config.rule == "jumprelu" and not config.centred:
        return "JumpReluAutoEncoder"
    if config.rule == "jumprelu":
        _check_plain_relu(coder)
        return "AutoEncoder"
    if not config.centred:
        cannot("dictionary_learning", f"a {config.rule} coder that is not centred")
    if config.rule == "topk":
        return "AutoEncoderTopK"
    return "MatryoshkaBatchTopKSAE" if config.groups else "BatchTopKSAE"


def _check_plain_relu(coder: SparseCoder) -> None:
    if not all_zero(coder.threshold):
        cannot("dictionary_learning", "a centred jumprelu coder with thresholds")
    norms = coder.W_dec.detach().norm(dim=1) / coder.config.scale
    if not torch.allclose(norms, torch.ones_like(norms)):
        cannot(
            "dictionary_learning", "a centred ReLU coder whose decoder rows are not of length one"
        )


def _one_threshold(coder: SparseCoder) -> Tensor:
    if coder.config.rule == "topk":
        return torch.tensor(UNMEASURED)
    threshold = coder.threshold.detach().cpu()
    if not bool((threshold == threshold[0]).all()):
        cannot("dictionary_learning", "a batchtopk coder with a threshold for each feature")
    return threshold[0].clone()
