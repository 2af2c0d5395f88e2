"""Looks at model folders: are the files there and whole, and what class of model is it.

It reads headers and configuration, never a tensor, and knows nothing of servers.
"""

import json
import re
import shlex
from pathlib import Path

from lmmscope.doctor_checks import Check
from lmmscope.invocation import python
from lmmscope.settings import Settings
from lmmscope.wiring import SHIPPED, model_folder
from sae_core.errors import UserError
from sae_core.weights import check_weights

INDEX = "model.safetensors.index.json"
ALTERNATIVES = {
    "a tokenizer": ("tokenizer.json", "vocab.json", "tokenizer.model"),
    "a processor": ("processor_config.json", "preprocessor_config.json"),
}
"""What a folder needs beside configuration and weights, and the file names that it goes by."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def examine(settings: Settings) -> list[Check]:
    """The folder of each role that no server plays."""
    served = settings.servers.given()
    return [
        folder_check(role, name)
        for role, name in settings.models.model_dump().items()
        if role not in served and name is not None
    ]


def folder_check(role: str, name: str) -> Check:
    """One role's folder, from its name in the profile."""
    try:
        folder = model_folder(name)
    except UserError as error:
        return Check.missing("models", role, str(error), f"{python()} -m pip install -e .")
    fix = remedy(name, folder)
    if not folder.is_dir():
        return Check.missing("models", role, f"no folder {folder}", fix)
    files = {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.is_file()}
    try:
        kind = model_class(folder)
        for weights in weight_files(folder):
            check_weights(weights)
        _check_companions(folder, files)
    except UserError as error:
        return Check.missing("models", role, str(error), fix, files)
    size = sum(files.values()) / 1e6
    return Check.ok("models", role, f"{kind}, {len(files)} files, {size:.1f} MB, {folder}", files)


def model_class(folder: Path) -> str:
    """The class that config.json names."""
    path = folder / "config.json"
    names = _json(path).get("architectures")
    if not isinstance(names, list) or not names:
        raise UserError(f"{path} names no model class (architectures)")
    return str(names[0])


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that make up the weights: one, or those that an index lists."""
    index = folder / INDEX
    if not index.exists():
        return [folder / "model.safetensors"]
    shards = _json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise UserError(f"{index} lists no weights (weight_map)")
    return [folder / name for name in sorted({str(shard) for shard in shards.values()})]


def remedy(name: str, folder: Path) -> str:
    """The command that brings a model's folder back."""
    place = shlex.quote(str(folder))
    if name.startswith(SHIPPED):
        checkout = next((up for up in folder.parents if (up / ".git").exists()), None)
        if checkout is None:
            return f"{python()} -m toybox.train_{name.removeprefix(SHIPPED)}"
        return f"git -C {shlex.quote(str(checkout))} checkout -- {folder.relative_to(checkout)}"
    if _HUB_NAME.fullmatch(name):
        return f"hf download {name} --local-dir {place}"
    return f"ls -l {place}"


def _check_companions(folder: Path, files: dict[str, int]) -> None:
    for what, names in ALTERNATIVES.items():
        if not any(files.get(name) for name in names):
            raise UserError(f"{folder} lacks {what}: none of {', '.join(names)}, or an empty one")


def _json(path: Path) -> dict[str, object]:
    """A JSON object from a file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no {path}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no JSON object")
    return content
