"""How large the models of a profile are: read from their files, or as the profile says.

It reads headers and configuration, never a tensor.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, NamedTuple

from lmmscope.doctor_models import weight_files
from lmmscope.settings import Settings
from lmmscope.wiring import model_folder
from sae_core.errors import UserError
from sae_core.weights import PICKLED


class Known(NamedTuple):
    """A model's size, and where it is known from."""

    parameters: float
    source: Literal["read", "published"]


class Shape(NamedTuple):
    """A target's language model."""

    layers: int
    width: int
    inner: int


def size_of(settings: Settings, role: str) -> Known | None:
    """How many numbers a role's model has; None where nobody says."""
    name = getattr(settings.models, role)
    if name is None:
        return None
    folder = model_folder(name)
    counted = _coder_size(folder) if role == "sae" else _model_size(folder)
    if counted is not None:
        return Known(counted, "read")
    published = settings.published.models.get(role)
    return Known(published.parameters, "published") if published else None


def shape_of(settings: Settings) -> Shape | None:
    """The target's shape, from its config or as published."""
    folder = model_folder(settings.models.target)
    if (folder / "config.json").is_file():
        from transformers import AutoConfig

        text = AutoConfig.from_pretrained(folder).get_text_config()
        inner = getattr(text, "intermediate_size", None) or getattr(text, "d_ff", 0)
        return Shape(text.num_hidden_layers, text.hidden_size, inner)
    known = settings.published.models.get("target")
    if known is None or not (known.layers and known.width and known.inner):
        return None
    return Shape(known.layers, known.width, known.inner)


def _model_size(folder: Path) -> float | None:
    from safetensors import SafetensorError, safe_open

    if not folder.is_dir():
        return None
    total = 0
    try:
        for path in weight_files(folder):
            with safe_open(path, "pt") as file:
                names = list(file.keys())
                total += sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    except (OSError, SafetensorError, UserError):
        return None  # what is broken is said where models are looked at
    pickled = folder / PICKLED
    return total or (pickled.stat().st_size / 4 if pickled.is_file() else None)


def _coder_size(folder: Path) -> float | None:
    from sae_core.formats.store import describe

    try:
        shapes = describe(folder).shapes
    except UserError:
        return None
    return sum(math.prod(shape) for name, shape in shapes.items() if name != "threshold")
