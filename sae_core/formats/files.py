"""What the checkpoint formats share: files opened without reading weights, and faults named.

Knows JSON, safetensors and .pt files, and what a coder is made of; nothing of any one format. An
opened file's tensors are maps of it: a weight is read when it is used, not before.

Shapes: F features, D width.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sae_core.coders.coder import CoderConfig, SparseCoder, coder_config
from sae_core.errors import UserError


class Stored(NamedTuple):
    """A coder as it lies on disk, weights not yet read."""

    config: CoderConfig
    weights: dict[str, Tensor]
    """By our names and in our layout."""
    unit: bool = False
    """Whether its library moves the decoder rows' norms into the encoder when it reads the file."""


class Files(NamedTuple):
    """What a format writes into a folder."""

    weights_name: str
    weights: dict[str, Any]
    config_name: str = ""
    config: Mapping[str, Any] | None = None


def read_config(file: Path) -> dict[str, Any]:
    """The JSON object that stands beside the weights."""
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"No {file.name} in {file.parent}: these weights can't be read without it. "
            "Fetch it from where they came from"
        ) from None
    except ValueError as error:
        raise UserError(f"{file} is no JSON: {error}. Fetch it again") from None
    if not isinstance(config, dict):
        raise UserError(f"{file} holds no JSON object. Fetch it again")
    return config


def needed(config: Mapping[str, Any], key: str, file: Path) -> Any:
    """A config's value, which has to be there."""
    if key not in config:
        raise UserError(
            f"{file} lacks {key}: it has {', '.join(map(str, config)) or 'nothing'}. Add it there"
        )
    return config[key]


def whole(config: Mapping[str, Any], key: str, file: Path) -> int:
    """A count from a config. An average k may be a fraction there: it counts in training only."""
    value = needed(config, key, file)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**63:
        raise UserError(f"{key}={value!r} in {file} is no number. Correct it there")
    return round(value)


def coder_config_of(file: Path, **fields: Any) -> CoderConfig:
    """The config, or a refusal that names the file and the field."""
    try:
        return coder_config(**fields)
    except UserError as error:
        raise UserError(f"{file} describes no coder: {error}. Correct it there") from None


def opened(file: Path) -> dict[str, Any]:
    """What a weights file holds; tensors stay on disk until they are used."""
    if not file.is_file():
        raise UserError(f"No weights at {file}. Fetch them from where {file.parent} came from")
    if file.suffix == ".pt":
        return _opened_pickle(file)
    try:
        return load_file(file)
    except SafetensorError as error:
        raise UserError(
            f"{file} is truncated or no safetensors ({error}). Fetch it again"
        ) from None


def _opened_pickle(file: Path) -> dict[str, Any]:
    try:
        try:
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError:  # files older than torch 1.6 can't be mapped
            found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wants = re.search(r"GLOBAL ([\w.]+)", str(error))
        if wants is None:
            raise UserError(
                f"{file} is truncated, or holds more than plain weights. Fetch it again, or save "
                "its state_dict alone"
            ) from None
        raise UserError(
            f"{file} holds {wants[1]}, not only weights: reading it would run code that came with "
            "it. Save its state_dict alone where you trust it, and try that file"
        ) from None
    except (RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{file} is truncated or no .pt file ({reason}). Fetch it again") from None
    if not isinstance(found, dict):
        raise UserError(f"{file} holds a {type(found).__name__}, no state_dict. Save one instead")
    return found


def arranged(
    file: Path,
    found: Mapping[str, Any],
    config: CoderConfig,
    names: Mapping[str, str],
    across: Collection[str] = (),
) -> dict[str, Tensor]:
    """A file's tensors by our names (the keys of names), turned where the format lays them across.

    A threshold may be one number for all features; without one it is zero.
    """
    size, width = config.features, config.width
    shapes = {
        "W_enc": (size, width),
        "b_enc": (size,),
        "W_dec": (size, width),
        "b_dec": (width,),
        "threshold": (size,),
    }
    weights = {"threshold": torch.zeros(()).expand(size)}
    for ours, theirs in names.items():
        tensor = found.get(theirs)
        if not isinstance(tensor, Tensor):
            raise UserError(
                f"{file} lacks the tensor {theirs}: it has {', '.join(map(str, found))}. "
                f"Try lmmscope sae info {file.parent}"
            )
        if ours == "threshold" and tensor.shape == ():
            tensor = tensor.expand(size)
        wanted = shapes[ours][::-1] if ours in across else shapes[ours]
        if tuple(tensor.shape) != wanted:
            raise UserError(
                f"{theirs} in {file} has shape {tuple(tensor.shape)} instead of {wanted}, for "
                f"{size} features of width {width}: its config is another coder's. Fetch both again"
            )
        if not tensor.is_floating_point():
            raise UserError(f"{theirs} in {file} is {tensor.dtype}, no weights. Fetch it again")
        weights[ours] = tensor.T if ours in across else tensor
    return weights


def plain_weights(coder: SparseCoder, across: Collection[str] = ()) -> dict[str, Tensor]:
    """A coder's weights for a format that knows no scale, which goes into them."""
    scale = coder.config.scale
    by = {"W_enc": scale, "W_dec": 1 / scale, "b_dec": 1 / scale}
    weights = {}
    for name, tensor in coder.state_dict().items():
        tensor = tensor.detach().cpu()
        tensor = tensor * by[name] if scale != 1 and name in by else tensor
        weights[name] = (tensor.T if name in across else tensor).contiguous()
    return weights


def cannot(format_: str, what: str) -> NoReturn:
    """Refuse to write what a format has no way to say."""
    raise UserError(
        f"The {format_} format can't hold {what}: its library would compute something else. "
        "Try --format lmmscope"
    )


def all_zero(tensor: Tensor) -> bool:
    """Whether every number is zero."""
    return not bool(tensor.count_nonzero())


def layer_of(name: str) -> int | None:
    """The number of the block whose output a library's name stands for, where it does."""
    found = re.search(r"(?:^|\.)(?:layers\.(\d+)|blocks\.(\d+)\.hook_resid_post)$", name)
    return int(found[1] or found[2]) if found else None


def hook_of(name: str) -> str:
    """Our name of a hook point; one that is no block's output keeps its library's name."""
    layer = layer_of(name)
    return name if layer is None else f"layers.{layer}"
