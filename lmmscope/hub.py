"""Names on the Hugging Face hub: which folder here they stand for, and how to download them.

It only looks into the local cache; what is not there, the doctor says how to get.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from sae_core.errors import UserError

HUB = "hub:"
"""What a data set's name starts with; a model's name needs it not."""
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_DATA = re.compile(rf"{HUB}(?P<repository>[\w.-]+/[\w.-]+)(?:/(?P<pattern>.+))?")
Kind = Literal["model", "dataset"]


class DataSet(NamedTuple):
    """A data set on the hub, or some of its files."""

    repository: str
    pattern: str | None = None


def is_model(name: str) -> bool:
    """Whether a model's name could be one on the hub: an organisation and a repository."""
    return _MODEL.fullmatch(name) is not None


def data_set(source: str) -> DataSet | None:
    """What `hub:ORGANISATION/NAME[/PATTERN]` stands for; None for what has another form."""
    if not source.startswith(HUB):
        return None
    found = _DATA.fullmatch(source)
    if found is None:
        raise UserError(f"{source!r} names no data set. Write {HUB}ORGANISATION/NAME[/PATTERN]")
    return DataSet(found["repository"], found["pattern"])


def snapshot(repository: str, kind: Kind = "model") -> Path | None:
    """The folder of a repository in the local cache, if it was ever downloaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, repo_type=kind, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def data_path(source: str) -> Path:
    """Where a data set lies: a path, or what `hub:...` stands for in the local cache."""
    found = data_set(source)
    if found is None:
        return Path(source).expanduser()
    folder = snapshot(found.repository, "dataset")
    if folder is None:
        raise UserError(f"{found.repository} is not here. Try {data_download(found)}")
    return folder if found.pattern is None else folder / found.pattern


def data_download(found: DataSet) -> str:
    """The command that downloads a data set."""
    only = f" --include {shlex.quote(found.pattern)}" if found.pattern else ""
    return f"hf download {found.repository} --repo-type dataset{only}"


def model_download(name: str, leave_out: Sequence[str] = ()) -> str:
    """The command that downloads a model, but for the files that nobody needs."""
    without = "".join(f" --exclude {shlex.quote(pattern)}" for pattern in leave_out)
    return f"hf download {name}{without}"
