"""Files that hold pictures, and where in them each picture's bytes lie.

Knows folders, and which kind of file is which; tars and Parquet tables are read by modules of their
own. Nothing here looks at a picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sae_core.errors import UserError

PICTURES = {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
TARS, TABLES, LISTS = {".tar"}, {".parquet"}, {".txt"}


class Place(NamedTuple):
    """Where in a shard a picture's bytes are; what the numbers mean is the shard's business."""

    at: int
    size: int


class Found(NamedTuple):
    """A picture that a shard names."""

    name: str
    place: Place
    data: bytes | None
    """None where the shard names a picture, and holds none that can be read."""


class Shard(Protocol):
    """Pictures that lie together."""

    path: Path

    def files(self) -> Sequence[Path]:
        """What it consists of: as long as these do not change, places stay what they are."""
        ...

    def found(self) -> Iterator[Found]:
        """Its pictures in their order, one after the other."""
        ...

    def data(self, place: Place) -> bytes:
        """The bytes at a place."""
        ...


class Folder:
    """All pictures under a folder, in the order of their names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        named = (p for p in path.rglob("*") if p.suffix.lower() in PICTURES)
        self._files = sorted(p for p in named if not p.is_dir())
        if not self._files:
            raise UserError(
                f"No pictures under {path}: looked for {', '.join(sorted(PICTURES))}, and for "
                ".tar and .parquet files. Name another folder"
            )

    def files(self) -> Sequence[Path]:
        """The pictures."""
        return self._files

    def found(self) -> Iterator[Found]:
        """One after the other."""
        for at, file in enumerate(self._files):
            try:
                data = file.read_bytes()
            except OSError:
                data = None
            name = os.fsencode(file.relative_to(self.path)).decode(errors="backslashreplace")
            yield Found(name, Place(at, len(data or b"")), data)

    def data(self, place: Place) -> bytes:
        """A file's bytes."""
        return read(self._files[place.at])


def shards_at(where: Path) -> list[Shard]:
    """What a path stands for: a folder, a shard, a pattern such as shards/*.tar, or a .txt list.

    A folder that holds shards stands for them; one that does not, for the pictures under it.
    """
    if not where.exists() and any(sign in str(where) for sign in "*?["):
        named = sorted(Path(where.anchor).glob(str(where.relative_to(where.anchor))))
        if not named:
            raise nothing_at(where, "no file has such a name")
        return [_shard(path) for path in named]
    if where.is_dir():
        inside = sorted(p for p in where.rglob("*") if p.suffix.lower() in TARS | TABLES)
        return [_shard(path) for path in inside] or [Folder(where)]
    if where.suffix.lower() in LISTS and where.is_file():
        lines = (line.strip() for line in where.read_text(encoding="utf-8").splitlines())
        listed = [_shard(where.parent / line) for line in lines if line]
        if not listed:
            raise nothing_at(where, "the list is empty")
        return listed
    return [_shard(where)]


def read(file: Path) -> bytes:
    """A file's bytes; one that can't be read is named."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> UserError:
    """A whole file of pictures that can't be read: nobody should lose its pictures in silence."""
    return UserError(f"{file} can't be read: {error}. Fetch it again, or take it out of the set")


def _shard(path: Path) -> Shard:
    from sae_core.pictures.tables import Table
    from sae_core.pictures.tars import Tar

    suffix = path.suffix.lower()
    if not path.exists():
        raise nothing_at(path, "there is no such file")
    if path.is_dir():
        return Folder(path)
    if suffix in TARS:
        return Tar(path)
    if suffix in TABLES:
        return Table(path)
    raise nothing_at(path, "it is no folder, .tar, .parquet or .txt list")


def nothing_at(where: Path, why: str) -> UserError:
    """A place that was named for pictures, and has none."""
    return UserError(f"No pictures at {where}: {why}. Name a folder, .tar or .parquet files")
