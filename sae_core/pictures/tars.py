"""WebDataset shards: tars in which a picture is a member with a picture's suffix.

Knows tars. They have to be uncompressed, so that a picture's bytes can be found again by where they
lie; WebDataset writes them so.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from sae_core.pictures.shards import PICTURES, Found, Place, unreadable


class Tar:
    """A Shard."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> Sequence[Path]:
        """The tar."""
        return [self.path]

    def found(self) -> Iterator[Found]:
        """Its pictures in the order of the tar."""
        try:
            with tarfile.open(self.path, "r:") as tar, self.path.open("rb") as file:
                for member in tar:
                    if not member.isfile() or _suffix(member.name) not in PICTURES:
                        continue
                    file.seek(member.offset_data)
                    data = file.read(member.size)
                    yield Found(member.name, Place(member.offset_data, member.size), data)
        except (OSError, tarfile.TarError) as error:
            raise unreadable(self.path, error) from None

    def data(self, place: Place) -> bytes:
        """The bytes of a member."""
        try:
            with self.path.open("rb") as file:
                file.seek(place.at)
                return file.read(place.size)
        except OSError as error:
            raise unreadable(self.path, error) from None


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
