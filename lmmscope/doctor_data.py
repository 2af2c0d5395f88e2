"""Looks at data sets: are the files there, and how many.

It opens no picture, so it does not know how many there are; numbering them finds that out.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from lmmscope import hub
from lmmscope.doctor_checks import Check
from lmmscope.settings import Settings
from lmmscope.wiring import SHIPPED, model_folder
from sae_core.errors import UserError

KEYS = ("explore", "validation", "test", "train")
"""What names pictures. What coders are trained on is needed only where none is there."""


def examine(settings: Settings) -> list[Check]:
    """Each data set that the profile names."""
    return [
        check if key != "train" or trains(settings) else _needless(check)
        for key in KEYS
        if (source := getattr(settings.data, key)) is not None
        for check in [data_check(key, source)]
    ]


def trains(settings: Settings) -> bool:
    """Whether the profile's coder has to be trained first."""
    name = settings.models.sae
    if name is None or settings.coder is None or hub.is_model(name):
        return False
    return not model_folder(name).exists()


def data_check(key: str, source: str) -> Check:
    """One data set, from its name in the profile."""
    from sae_core.pictures.shards import shards_at
    from sae_core.pictures.stored import source_of

    if source.startswith(SHIPPED):
        return Check.ok("data", key, f"{source}, drawn when it is looked at")
    fix = f"ls -l {shlex.quote(source)}"
    try:
        place = source_of(source).place
        if (found := hub.data_set(place)) is not None:
            fix = hub.data_download(found)
        where = hub.data_path(place)
        if where.suffix == ".jsonl" and where.is_file():
            return Check.ok("data", key, f"{_size([where])}, {where}")
        files = [file for shard in shards_at(where) for file in shard.files()]
    except UserError as error:
        return Check.missing("data", key, str(error), fix)
    return Check.ok("data", key, f"{len(files):,} files, {_size(files)}, {where}")


def _needless(check: Check) -> Check:
    if check.state == "ok":
        return check
    return Check.note("data", check.name, f"{check.found}; only to train a coder", check.fix)


def _size(files: list[Path]) -> str:
    return f"{sum(file.stat().st_size for file in files) / 1e9:.1f} GB"
