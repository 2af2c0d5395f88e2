"""A numbered set of pictures that lie on disk.

Knows shards and manifests. The manifest is made when it is first needed, and kept in a folder; the
pictures themselves stay where they are, and are read one at a time.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from sae_core.errors import UserError
from sae_core.pictures import manifest as manifests
from sae_core.pictures.decoding import Unreadable, picture_of
from sae_core.pictures.manifest import WHOLE, Manifest, Share
from sae_core.pictures.shards import shards_at

_SHARE = re.compile(r"(?P<place>.+)#(?P<first>[\d.]+)-(?P<end>[\d.]+)")


class Source(NamedTuple):
    """Where pictures are, and which part of them is meant."""

    place: str
    share: Share = WHOLE


def source_of(text: str) -> Source:
    """`PLACE`, or `PLACE#FIRST-END` for the part between two percentages."""
    found = _SHARE.fullmatch(text)
    if found is None:
        return Source(text)
    try:
        share = Share(float(found["first"]), float(found["end"]))
    except ValueError:
        share = Share(0, 0)
    if not 0 <= share.first < share.end <= 100:
        raise UserError(f"{text!r}: a share is FIRST-END in percent, as in {found['place']}#0-80")
    return Source(found["place"], share)


class StoredPictures:
    """A PictureSet. Squared, each picture is drawn to the same side, its proportions given up."""

    def __init__(
        self,
        where: Path,
        kept: Path,
        count: int | None = None,
        share: Share = WHOLE,
        *,
        side: int | None = None,
        tell: Callable[[int], None] = lambda _: None,
        made: Callable[[Manifest, Path], None] = lambda *_: None,
    ) -> None:
        """`tell` hears how many are numbered, `made` what came of it, and where it is kept."""
        self._shards, self._where = shards_at(where), where
        self._kept, self._tell, self._made, self._side = kept, tell, made, side
        self._share, self._count = share, count
        self._making = threading.Lock()

    @cached_property
    def manifest(self) -> Manifest:
        """Made once, by whoever asks first."""
        with self._making:
            wanted = manifests.wanted_of(self._shards, self._share, self._count)
            path = self._kept / f"{wanted.name}.jsonl"
            if new := not path.exists():
                manifests.write(manifests.made(self._shards, wanted, self._tell), path)
            found = manifests.read(path)
        if new:
            self._made(found, path)
        if not found.entries:
            left = "; ".join(f"{name}: {why}" for name, why in found.unreadable[:3])
            raise UserError(
                f"None of the pictures at {self._where} can be used"
                f"{f' ({left})' if left else ''}. Name another data set, or a larger share"
            )
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of what all pictures are, in order."""
        digest = self.manifest.digest
        if self._side is None:
            return digest
        return hashlib.sha256(f"{digest} {self._side}".encode()).hexdigest()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.manifest.entries)

    def contents(self) -> list[str]:
        """The SHA-256 of each picture's bytes."""
        return [entry.sha256 for entry in self.manifest.entries]

    def picture(self, number: int) -> Image.Image:
        """One of them."""
        entry = self.manifest.entries[number]
        data = self._shards[entry.shard].data(entry.place)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise UserError(
                f"Picture {number} ({entry.name}) of {self._where} is no longer what it was. "
                "Start again: the set is then numbered anew"
            )
        try:
            picture = picture_of(data)
        except Unreadable as error:
            raise UserError(f"Picture {number} ({entry.name}) can't be opened: {error}.") from None
        return picture if self._side is None else picture.resize((self._side, self._side))
