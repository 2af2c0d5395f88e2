"""Which picture has which number: worked out once for a set, written down, and read again.

Every picture's bytes are hashed, the same bytes count once, and what can't be opened is left out
and named. A manifest holds as long as the files that it was made from stay as they were; one file,
one JSON object a line: what the set is, then its pictures in order.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sae_core.errors import UserError
from sae_core.pictures.decoding import Unreadable, picture_of
from sae_core.pictures.shards import Found, Place, Shard

FORMAT = 1
AT_ONCE = 64
"""Pictures that are opened together; no more than these are in memory."""
BUCKETS = 10_000


class Share(NamedTuple):
    """A part of a set: the pictures whose content falls between two percentages.

    Content decides, so a picture is in the same part wherever and however often it turns up, and
    parts that do not overlap share no picture.
    """

    first: float = 0.0
    end: float = 100.0

    def holds(self, digest: bytes) -> bool:
        """Whether a picture with this SHA-256 belongs to it."""
        bucket = int.from_bytes(digest[:8], "big") % BUCKETS
        return self.first * BUCKETS <= bucket * 100 < self.end * BUCKETS


WHOLE = Share()


class Wanted(BaseModel):
    """What a set is made from: with the same, the same numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: str
    """SHA-256 of the names, sizes and times of all files."""
    share: Share = WHOLE
    count: int | None = None
    format: int = FORMAT

    @property
    def name(self) -> str:
        """A file name for it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class Entry(NamedTuple):
    """One picture."""

    shard: int
    place: Place
    sha256: str
    name: str


class Manifest(BaseModel):
    """A numbered set of pictures; a picture's number is its place in `entries`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wanted: Wanted
    repeated: int = Field(ge=0)
    """How many pictures were left out because the same bytes came before."""
    unreadable: tuple[tuple[str, str], ...]
    """What was left out because it can't be opened: its name, and why."""
    digest: str
    """SHA-256 of the SHA-256 of all pictures, in order."""
    entries: tuple[Entry, ...] = Field(exclude=True)


def wanted_of(shards: Sequence[Shard], share: Share = WHOLE, count: int | None = None) -> Wanted:
    """What a set of these shards is made from, as they are now."""
    running = hashlib.sha256()
    for shard in shards:
        for file in shard.files():
            # A link that leads nowhere can still be named among what is left out.
            facts = file.stat() if file.exists() else file.lstat()
            running.update(os.fsencode(file))
            running.update(f"\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return Wanted(files=running.hexdigest(), share=share, count=count)


def made(
    shards: Sequence[Shard], wanted: Wanted, tell: Callable[[int], None] = lambda _: None
) -> Manifest:
    """Look at every picture, no further than is needed; `tell` hears how many are numbered."""
    seen: set[bytes] = set()
    entries: list[Entry] = []
    unreadable: list[tuple[str, str]] = []
    repeated = 0
    with ThreadPoolExecutor() as pool:
        for some in _in_batches(_candidates(shards)):
            for shard, one, digest, fault in pool.map(_examined(wanted.share), some):
                if digest is None or len(entries) == wanted.count:
                    continue
                if fault:
                    unreadable.append((one.name, fault))
                elif digest in seen:
                    repeated += 1
                else:
                    seen.add(digest)
                    entries.append(Entry(shard, one.place, digest.hex(), one.name))
            tell(len(entries))
            if len(entries) == wanted.count:
                break
    running = hashlib.sha256()
    for entry in entries:
        running.update(bytes.fromhex(entry.sha256))
    return Manifest(
        wanted=wanted, repeated=repeated, unreadable=tuple(unreadable),
        digest=running.hexdigest(), entries=tuple(entries),
    )  # fmt: skip


def write(manifest: Manifest, path: Path) -> None:
    """By rename, so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of this process: another one may be making the same.
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with beside.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json() + "\n")
        for entry in manifest.entries:
            file.write(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n")
    beside.replace(path)


def read(path: Path) -> Manifest:
    """What `write` wrote."""
    try:
        with path.open(encoding="utf-8") as file:
            head = json.loads(next(file))
            entries = tuple(_entry(*json.loads(line)) for line in file)
            return Manifest(**head, entries=entries)
    except (OSError, ValueError, TypeError, StopIteration, ValidationError) as error:
        raise UserError(
            f"{path} is no manifest of pictures ({type(error).__name__}). Delete it: it is made "
            "again when it is needed"
        ) from None


class _Examined(NamedTuple):
    shard: int
    found: Found
    digest: bytes | None
    """None where the picture belongs to another share."""
    fault: str = ""


def _examined(share: Share) -> Callable[[tuple[int, Found]], _Examined]:
    def examine(one: tuple[int, Found]) -> _Examined:
        shard, found = one
        digest = hashlib.sha256(found.data or found.name.encode()).digest()
        if not share.holds(digest):
            return _Examined(shard, found, None)
        fault = "there is no picture"
        if found.data:
            try:
                picture_of(found.data)
                fault = ""
            except Unreadable as error:
                fault = str(error)
        # What was looked at need not be kept: its place says where it is.
        return _Examined(shard, found._replace(data=None), digest, fault)

    return examine


def _candidates(shards: Sequence[Shard]) -> Iterator[tuple[int, Found]]:
    for number, shard in enumerate(shards):
        for one in shard.found():
            yield number, one


def _in_batches(all_: Iterable[tuple[int, Found]]) -> Iterator[list[tuple[int, Found]]]:
    rest = iter(all_)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _entry(shard: int, place: Sequence[int], sha256: str, name: str) -> Entry:
    return Entry(shard, Place(*place), sha256, name)
