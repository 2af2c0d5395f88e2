"""Looks at models: are the files there and whole, and what class of model is it.

It reads headers and configuration, never a tensor, and knows nothing of servers.
"""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from lmmscope.doctor_checks import Check
from lmmscope.hub import is_model, model_download
from lmmscope.invocation import lmmscope, python
from lmmscope.settings import Settings
from lmmscope.wiring import SHIPPED, model_folder
from sae_core.errors import UserError
from sae_core.weights import PICKLED, check_weights

INDEX = "model.safetensors.index.json"
TOKENIZER = "a tokenizer"
ALTERNATIVES = {
    TOKENIZER: ("tokenizer.json", "vocab.json", "tokenizer.model"),
    "a processor": ("processor_config.json", "preprocessor_config.json"),
}
"""What a folder needs beside configuration and weights, and the file names that it goes by."""
WORDLESS = ("segmenter",)
"""Roles whose models read no text."""
CHECKPOINTS = ("grounder", "segmenter")
"""Roles that are plain files where the profile names a text encoder: as their authors have them."""


def examine(settings: Settings, profile: str | None = None) -> list[Check]:
    """The model of each role that no server plays; `profile` is what its commands are given."""
    served = settings.servers.given()
    return [
        _check(settings, role, name, profile or settings.name)
        for role, name in settings.models.model_dump().items()
        if role not in served and name is not None
    ]


def _check(settings: Settings, role: str, name: str, profile: str) -> Check:
    if role == "sae":
        return coder_check(settings, name, profile)
    if settings.models.text_encoder is not None and role in CHECKPOINTS:
        return file_check(role, Path(name).expanduser())
    size = settings.published.models.get(role)
    return folder_check(role, name, size.leave_out if size else ())


def coder_check(settings: Settings, name: str, profile: str) -> Check:
    """The sparse coder: what it is, or how it is got or trained."""
    from sae_core.formats.store import describe

    folder = model_folder(name)
    if is_model(name) and not folder.exists():
        fix = _coder_remedy(settings, name, folder, profile)
        return Check.missing("models", "sae", f"{name}: not in the hub's cache here", fix)
    try:
        facts = describe(folder)
    except UserError as error:
        fix = _coder_remedy(settings, name, folder, profile)
        return Check.missing("models", "sae", str(error), fix)
    config = facts.config
    what = f"{facts.format} {config.rule}, {config.features:,} features of width {config.width}"
    found = f"{what}, {facts.size / 1e6:.1f} MB, {facts.file}"
    return Check.ok("models", "sae", found, {facts.file.name: facts.size})


def _coder_remedy(settings: Settings, name: str, folder: Path, profile: str) -> str:
    wish = settings.coder
    if wish is None or name.startswith(SHIPPED) or is_model(name):
        return remedy(name, folder)
    return (
        f"{lmmscope()} sae train --profile {shlex.quote(profile)} --out {shlex.quote(name)} "
        f"--features {wish.features} --k {wish.k} --batch {wish.batch} --steps {wish.steps}"
    )


def file_check(role: str, path: Path) -> Check:
    """A checkpoint in one file."""
    if not path.is_file():
        return Check.missing("models", role, f"no file {path}", f"ls -l {shlex.quote(str(path))}")
    size = path.stat().st_size
    return Check.ok("models", role, f"{size / 1e6:.1f} MB, {path}", {path.name: size})


def folder_check(role: str, name: str, leave_out: Sequence[str] = ()) -> Check:
    """One role's folder, from its name in the profile."""
    try:
        folder = model_folder(name)
    except UserError as error:
        return Check.missing("models", role, str(error), f"{python()} -m pip install -e .")
    fix = remedy(name, folder, leave_out)
    if not folder.is_dir():
        where = "not in the hub's cache here" if is_model(name) else "no such folder"
        return Check.missing("models", role, f"{name}: {where}", fix)
    files = {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.is_file()}
    try:
        kind = model_class(folder)
        for weights in weight_files(folder):
            check_weights(weights)
        _check_companions(role, folder, files)
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
    """The safetensors files that make up the weights: one, or those that an index lists.

    None where the weights are pickled, as older ones are.
    """
    index, single = folder / INDEX, folder / "model.safetensors"
    if not index.exists():
        return [] if (folder / PICKLED).is_file() and not single.exists() else [single]
    shards = _json(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise UserError(f"{index} lists no weights (weight_map)")
    return [folder / name for name in sorted({str(shard) for shard in shards.values()})]


def remedy(name: str, folder: Path, leave_out: Sequence[str] = ()) -> str:
    """The command that brings a model's folder back."""
    place = shlex.quote(str(folder))
    if name.startswith(SHIPPED):
        checkout = next((up for up in folder.parents if (up / ".git").exists()), None)
        if checkout is None:
            return f"{python()} -m toybox.train_{name.removeprefix(SHIPPED)}"
        return f"git -C {shlex.quote(str(checkout))} checkout -- {folder.relative_to(checkout)}"
    if is_model(name):
        return model_download(name, leave_out)
    return f"ls -l {place}"


def _check_companions(role: str, folder: Path, files: dict[str, int]) -> None:
    for what, names in ALTERNATIVES.items():
        if what == TOKENIZER and role in WORDLESS:
            continue
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
