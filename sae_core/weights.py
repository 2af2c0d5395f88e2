"""Looks at a safetensors file without loading it: is it there, is it whole.

Knows the file format only; nothing of models.
"""

from __future__ import annotations

import hashlib
import json
import operator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sae_core.errors import UserError

_RESTORE = "Restore it with git checkout, or retrain it (toybox/README.md)."
_LARGEST_HEADER = 100_000_000
_KINDS = (".safetensors", ".json", ".jinja", ".model", ".txt")
_BLOCK, _STRIDE = 4096, 1 << 20
PICKLED = "pytorch_model.bin"
"""How older models keep their weights. What is in it can't be looked at without loading it."""


class _Looked(NamedTuple):
    """What a whole file says of itself."""

    size: int
    header: bytes
    starts: list[int]
    """Where each tensor begins, counted from the file's first byte."""


def check_weights(path: Path) -> int:
    """The number of bytes of a whole file; a missing, truncated or foreign one is named."""
    return _looked(path).size


def _looked(path: Path) -> _Looked:
    if not path.is_file():
        raise UserError(f"No weights at {path}. {_RESTORE}")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size, _LARGEST_HEADER):
            raise UserError(
                f"The weights {path} are truncated or no safetensors ({size} bytes). {_RESTORE}"
            )
        try:
            header = file.read(length)
            told = json.loads(header)
            tensors = [entry for name, entry in told.items() if name != "__metadata__"]
            spans = [entry["data_offsets"] for entry in tensors]
            wanted = 8 + length + operator.index(max((end for _, end in spans), default=0))
            starts = [8 + length + operator.index(start) for start, _ in spans]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
            raise UserError(f"The weights {path} have an unreadable header. {_RESTORE}") from None
    if size != wanted:
        raise UserError(f"The weights {path} have {size} bytes instead of {wanted}. {_RESTORE}")
    return _Looked(size, header, starts)


def check_model(folder: Path) -> Path:
    """The folder of a model, after a look at whether its weights, in one file or many, are whole.

    A name that is no folder is let through: it may be a hub's.
    """
    if not folder.is_dir() and not folder.is_absolute() and len(folder.parts) == 2:
        return folder
    if not (folder / "config.json").exists():
        raise UserError(f"No model at {folder}: config.json is missing. {_RESTORE}")
    files = sorted(folder.glob("*.safetensors"))
    if not files and (folder / PICKLED).is_file():
        return folder
    for path in files or [folder / "model.safetensors"]:
        check_weights(path)
    return folder


def digest_of(folder: Path) -> str:
    """SHA-256 of a model's weights and of what prepares its inputs."""
    running = hashlib.sha256()
    for path in sorted(one for one in folder.iterdir() if one.suffix in _KINDS):
        with path.open("rb") as file:
            running.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return running.hexdigest()


def fingerprint(folder: Path) -> str:
    """A digest of a model that is too large to be read whole each time.

    Small files are read whole; of weights the header, and a block where each tensor begins and
    after each MiB. A training moves nearly every number, so it shows; a change of a few may not.
    """
    files = sorted(one for one in folder.iterdir() if one.suffix in (*_KINDS, ".bin"))
    stamps = ((one.stat().st_size, one.stat().st_mtime_ns) for one in files)
    return _fingerprint(tuple(files), tuple(stamps))


@lru_cache(maxsize=8)
def _fingerprint(files: tuple[Path, ...], stamps: tuple[tuple[int, int], ...]) -> str:
    running = hashlib.sha256()
    for path, (size, _) in zip(files, stamps, strict=True):
        running.update(f"{path.name} {size} ".encode())
        with path.open("rb") as file:
            if path.suffix not in (".safetensors", ".bin"):
                running.update(hashlib.file_digest(file, "sha256").digest())
                continue
            starts = set(range(0, size, _STRIDE))
            if path.suffix == ".safetensors":  # nobody knows where tensors begin in the other kind
                looked = _looked(path)
                running.update(looked.header)
                starts.update(looked.starts)
            for start in sorted(starts):
                file.seek(start)
                running.update(file.read(_BLOCK))
    return running.hexdigest()


def named_by_content(path: Path) -> str:
    """A model's name that says which weights it has, wherever they lie; a hub's name as it is."""
    if path.is_dir():
        return f"{path.name} {digest_of(path)[:16]}"
    if path.is_file():
        with path.open("rb") as file:
            return f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    return str(path)
