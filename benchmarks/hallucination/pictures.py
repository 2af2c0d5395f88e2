"""Pictures of a local copy by their names: files below a folder, or cells of Parquet files.

A picture is read when it is needed; that each is there is looked at before anything is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from PIL import Image

from sae_core.errors import UserError
from sae_core.pictures.decoding import Unreadable, picture_of
from sae_core.pictures.tables import PICTURE, Rows, bytes_of
from sae_core.training.conversations import read_picture

COCO = "COCO's val2014 pictures (val2014.zip of the COCO data set)"


class Picture:
    """A picture, and a hash of what it shows."""

    def __init__(self, read: Callable[[], Image.Image]) -> None:
        self.read = read

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its size and pixels."""
        image = self.read().convert("RGB")
        return hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()


class Album:
    """The pictures in a folder, or in one of the folders that may lie in it."""

    def __init__(self, folder: Path, below: Sequence[str], origin: str) -> None:
        self.folder, self._below, self._origin = folder, ("", *below), origin
        self._found: dict[str, Picture] = {}

    def picture(self, name: str) -> Picture:
        """The picture of this name, the same one each time."""
        if name not in self._found:
            path = self._path(name)
            self._found[name] = Picture(lambda: read_picture(path))
        return self._found[name]

    def _path(self, name: str) -> Path:
        for below in self._below:
            path = self.folder / below / name
            if path.is_file():
                return path
        places = ", ".join(below or "the folder itself" for below in self._below)
        raise UserError(
            f"{self.folder} has no picture {name} (looked into {places}). Put {self._origin} there"
        )


class Cells:
    """The pictures in a Parquet file, by row."""

    def __init__(self, path: Path) -> None:
        self.path, self._rows = path, Rows(path, PICTURE)

    def picture(self, row: int) -> Picture:
        """The picture of a row."""
        return Picture(lambda: self._read(row))

    def _read(self, row: int) -> Image.Image:
        (cell,) = self._rows.row(row)
        try:
            return picture_of(bytes_of(cell) or b"")
        except Unreadable as error:
            raise UserError(
                f"The picture in row {row} of {self.path} can't be read: {error}. "
                "Download the file again"
            ) from None


def tables_in(folder: Path) -> list[Path]:
    """The Parquet files of a data set's folder, or the one that is named."""
    return [folder] if folder.suffix == ".parquet" else sorted(folder.rglob("*.parquet"))
