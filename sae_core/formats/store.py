"""Reads and writes coders, in our own format and in those of four other libraries.

    ours: config.json + coder.safetensors, our names and layout

Knows which formats there are, and how files are put in place: beside first, then renamed, and never
over another coder unasked. What each foreign format says is its own module's business.
"""

from __future__ import annotations

import filecmp
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor

from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.formats import dictionary, openai, saelens, sparsify
from sae_core.formats.files import (
    Files,
    Stored,
    arranged,
    coder_config_of,
    opened,
    read_config,
)

OURS = "coder.safetensors"
VERSION = 1
TENSORS = ("W_enc", "b_enc", "W_dec", "b_dec", "threshold")
LEAST_NORM = 1e-8


class Format(NamedTuple):
    """How one library keeps a coder."""

    name: str
    fits: Callable[[Path], bool]
    """Whether a file is this format's weights, by its name."""
    read: Callable[[Path], Stored]
    written: Callable[[SparseCoder], Files]


class CoderFacts(NamedTuple):
    """What can be said of a stored coder without reading its weights."""

    file: Path
    format: str
    config: CoderConfig
    shapes: dict[str, tuple[int, ...]]
    """By our names and in our layout."""
    dtype: str
    size: int
    """Of the weights file, in bytes."""


def _fits(file: Path) -> bool:
    return file.name == OURS


def _read(file: Path) -> Stored:
    config_file = file.with_name("config.json")
    said = read_config(config_file)
    version = said.get("version", VERSION)
    if version != VERSION:
        raise UserError(
            f"version={version!r} in {config_file}: this lmmscope reads version {VERSION}. "
            "Try a newer lmmscope"
        )
    fields = {name: value for name, value in said.items() if name in CoderConfig.model_fields}
    config = coder_config_of(config_file, **fields)
    return Stored(config, arranged(file, opened(file), config, {name: name for name in TENSORS}))


def _written(coder: SparseCoder) -> Files:
    weights = {name: tensor.detach().cpu() for name, tensor in coder.state_dict().items()}
    config = {"format": "lmmscope", "version": VERSION, **coder.config.model_dump(mode="json")}
    return Files(OURS, weights, "config.json", config)


FORMATS = {
    format_.name: format_
    for format_ in (
        Format("lmmscope", _fits, _read, _written),
        *(
            Format(name, module.fits, module.read, module.written)
            for name, module in (
                ("sparsify", sparsify),
                ("saelens", saelens),
                ("dictionary_learning", dictionary),
                ("openai", openai),
            )
        ),
    )
}


class _Found(NamedTuple):
    file: Path
    format: Format


def load_coder(path: Path | str) -> SparseCoder:
    """The coder in a folder or file, ready to be used; its weights keep the file's precision."""
    found = _find(Path(path))
    stored = found.format.read(found.file)
    for name, tensor in stored.weights.items():
        _check_finite(tensor, name, found.file)
    dtype = stored.weights["W_enc"].dtype
    # A copy, so that a file that changes later can't change the coder.
    weights = {
        name: tensor.to(dtype, copy=True).contiguous() for name, tensor in stored.weights.items()
    }
    if stored.unit:
        _make_unit(weights)
    return SparseCoder(stored.config, weights).eval()


def describe(path: Path | str) -> CoderFacts:
    """What a folder or file holds, from its config and the shapes of its tensors."""
    found = _find(Path(path))
    stored = found.format.read(found.file)
    return CoderFacts(
        file=found.file,
        format=found.format.name,
        config=stored.config,
        shapes={name: tuple(tensor.shape) for name, tensor in stored.weights.items()},
        dtype=str(stored.weights["W_enc"].dtype).removeprefix("torch."),
        size=found.file.stat().st_size,
    )


def save_coder(
    coder: SparseCoder,
    folder: Path | str,
    format: str = "lmmscope",  # noqa: A002
    *,
    replace: bool = False,
) -> Path:
    """Write a coder into a folder; returns its weights file. The same coder may be saved again.

    Another one there is refused, or with replace overwritten if it has the same format.
    """
    if format not in FORMATS:
        raise UserError(f"No format {format!r}. Known: {', '.join(FORMATS)}. Try --format lmmscope")
    folder = Path(folder)
    for name, tensor in coder.state_dict().items():
        _check_finite(tensor, name, folder)
    files = FORMATS[format].written(coder)
    folder.mkdir(parents=True, exist_ok=True)
    others = [found.file.name for found in _in(folder) if found.file.name != files.weights_name]
    if others:
        raise UserError(
            f"{folder} already holds the coder {others[0]}: two in one folder would be confused. "
            "Try another folder"
        )
    _put(folder, files, replace)
    return folder / files.weights_name


def convert(
    source: Path | str,
    folder: Path | str,
    format: str = "lmmscope",  # noqa: A002
    *,
    replace: bool = False,
) -> Path:
    """Write the coder of a folder or file in another format; returns its weights file."""
    return save_coder(load_coder(source), folder, format, replace=replace)


def stored_in(folder: Path) -> Path | None:
    """The weights file of a coder that lies in a folder itself, if there is one."""
    return next((found.file for found in _in(folder)), None)


def _in(folder: Path) -> list[_Found]:
    """The coders whose weights lie in a folder itself."""
    if not folder.is_dir():
        return []
    return [
        _Found(file, format_)
        for file in folder.iterdir()
        for format_ in FORMATS.values()
        if format_.fits(file) and file.is_file()
    ]


def _find(path: Path) -> _Found:
    """The one coder that a path stands for: a file, its folder, or the folder above that."""
    if path.is_file():
        for format_ in FORMATS.values():
            if format_.fits(path) or (path.suffix == ".pt" and format_.name == "openai"):
                return _Found(path, format_)
    if path.is_dir():
        found = _in(path) or [one for below in path.iterdir() for one in _in(below)]
        if len(found) > 1:
            names = sorted((_name(one, path) for one in found), key=_by_number)
            raise UserError(
                f"{path} holds {len(found)} coders: {', '.join(names)}. "
                f"Name one, as in lmmscope sae info {path / names[0]}"
            )
        if found:
            return found[0]
    what = "Nothing" if not path.exists() else "No coder"
    raise UserError(
        f"{what} at {path}: a coder is a folder with {OURS}, sae.safetensors, "
        "sae_weights.safetensors, ae.pt or {layer}.pt. Try lmmscope sae info FOLDER"
    )


def _name(found: _Found, path: Path) -> str:
    """How a coder below a path is told from its neighbours."""
    inside = found.file.relative_to(path)
    several = sum(one.format is found.format for one in _in(found.file.parent)) > 1
    return str(inside if several or inside.parent == Path() else inside.parent)


def _by_number(name: str) -> list[int | str]:
    """Orders layers.8 before layers.24."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _check_finite(tensor: Tensor, name: str, where: Path) -> None:
    # The extremes show a NaN as well as infinities, and cost no copy of the table.
    if not bool(torch.stack(tensor.detach().aminmax()).isfinite().all()):
        raise UserError(
            f"{name} of the coder {where} has NaN or infinite numbers: its training failed. "
            "Take an earlier checkpoint"
        )


def _make_unit(weights: dict[str, Tensor]) -> None:
    """Move the decoder rows' norms into the encoder: greater values of unit rows say the same."""
    norms = weights["W_dec"].norm(dim=1).clamp(min=LEAST_NORM)
    if torch.allclose(norms, torch.ones_like(norms)):
        return
    weights["W_dec"] /= norms[:, None]
    weights["W_enc"] *= norms[:, None]
    weights["b_enc"] *= norms


def _put(folder: Path, files: Files, replace: bool) -> None:
    """Write all files beside their places, look whether they may go there, and rename them."""
    places = {folder / files.weights_name: _save_weights}
    if files.config is not None:
        places[folder / files.config_name] = _save_config
    beside = {place: place.with_name(f".partial-{place.name}") for place in places}
    try:
        for place, save in places.items():
            save(files, beside[place])
        for place in places:
            if place.exists() and not replace and not _same(place, beside[place]):
                raise UserError(
                    f"{place} exists and holds something else. Try --force to overwrite it, "
                    "or another folder"
                )
        for place in places:
            beside[place].replace(place)
    finally:
        for rest in beside.values():
            rest.unlink(missing_ok=True)


def _same(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)


def _save_weights(files: Files, file: Path) -> None:
    if file.suffix == ".pt":
        # Through an open file: torch writes a path's name into what it saves.
        with file.open("wb") as out:
            torch.save(files.weights, out)
    else:
        save_file(files.weights, file, metadata={"format": "pt"})


def _save_config(files: Files, file: Path) -> None:
    file.write_text(json.dumps(files.config, indent=2) + "\n", encoding="utf-8")
