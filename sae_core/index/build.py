"""Builds an index from a stream of codes, shard by shard, so that a killed build can go on.

Between shards everything known lies in one file, whose name says which pictures it covers. So the
disk holds one part (two for the moment of a rename), however many pictures there are. Several
processes may build disjoint ranges in one folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch

from sae_core.errors import UserError
from sae_core.index.arrays import HEAD, PARTS
from sae_core.index.part import Part, load_part, merged, save_part
from sae_core.index.spec import IndexSpec, check_same
from sae_core.index.store import write_index
from sae_core.index.table import Harvested
from sae_core.index.tally import Tally

Source = Callable[[range], Iterable[Harvested]]
"""Batches of any size and in any order that hold each of these pictures once."""
SHARD = 1024
"""How many pictures are lost at most when a build is killed."""


def file_of(folder: Path, span: range) -> Path:
    """Where a part of a span lies."""
    return folder / PARTS / f"pictures-{span.start:010d}-{span.stop:010d}.npz"


def span_of(path: Path) -> range:
    """Which pictures a part's file covers."""
    _, start, stop = path.stem.split("-")
    return range(int(start), int(stop))


def part_files(folder: Path) -> list[Path]:
    """The files of a folder's parts, without those that another one covers."""
    furthest = {span_of(path).start: path for path in sorted((folder / PARTS).glob("*.npz"))}
    kept: list[Path] = []
    for path in furthest.values():
        if not kept or span_of(kept[-1]).stop < span_of(path).stop:
            kept.append(path)
    return kept


def _started(folder: Path, spec: IndexSpec, wanted: range) -> Part | None:
    """What an earlier build of the same range has done; what it left half done is removed."""
    for left in (folder / PARTS).glob(f"pictures-{wanted.start:010d}-*.tmp"):
        left.unlink()
    files = [path for path in part_files(folder) if span_of(path).start == wanted.start]
    if not files:
        return None
    if span_of(files[0]).stop > wanted.stop:
        raise UserError(
            f"{files[0]} goes further than picture {wanted.stop - 1}, the last one asked for. "
            "Try lmmscope index merge, or build into another folder"
        )
    part = load_part(files[0])
    check_same(part.spec, spec, files[0])
    return part


def build_part(
    folder: Path,
    spec: IndexSpec,
    source: Source,
    pictures: range | None = None,
    *,
    shard: int = SHARD,
    device: torch.device | str = "cpu",
) -> Part:
    """Count a range of pictures, by default all, from where an earlier build of it stopped."""
    wanted = range(spec.size) if pictures is None else pictures
    if not 0 <= wanted.start < wanted.stop <= spec.size:
        raise UserError(
            f"No pictures {wanted.start} to {wanted.stop - 1} in this picture set: it has "
            f"{spec.size} (0 to {spec.size - 1}). Try lmmscope index build with fewer"
        )
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    part = _started(folder, spec, wanted)
    tally = Tally(spec, device, part)
    done = part.seen[0] if part else range(wanted.start, wanted.start)
    while done != wanted:
        span = range(done.stop, min(done.stop + shard, wanted.stop))
        _count(tally, source, span)
        done = range(done.start, span.stop)
        save_part(tally.part(done), file_of(folder, done))
        _remove_shorter(folder, done)
    return tally.part(done)


def count_part(
    spec: IndexSpec, source: Source, span: range, device: torch.device | str = "cpu"
) -> Part:
    """Count some pictures alone; nothing is kept on disk."""
    tally = Tally(spec, device)
    _count(tally, source, span)
    return tally.part(span)


def _remove_shorter(folder: Path, done: range) -> None:
    for path in (folder / PARTS).glob(f"pictures-{done.start:010d}-*.npz"):
        if span_of(path).stop < done.stop:
            path.unlink()


def _count(tally: Tally, source: Source, span: range) -> None:
    numbers: list[torch.Tensor] = []
    for seen in source(span):
        numbers.append(seen.picture_B.cpu())
        tally.add(seen)
    if torch.cat(numbers).sort().values.tolist() != list(span):
        raise ValueError(f"the source did not give each of the pictures {span} once")


def finish(folder: Path, parts: Sequence[Part], device: torch.device | str = "cpu") -> None:
    """Merge parts into a finished index; a folder's own parts are then no longer needed."""
    write_index(folder, merged(parts), device)
    if (folder / PARTS).exists():
        shutil.rmtree(folder / PARTS)


def build_index(
    folder: Path,
    spec: IndexSpec,
    source: Source,
    *,
    shard: int = SHARD,
    device: torch.device | str = "cpu",
) -> None:
    """Build an index in one process."""
    finish(folder, [build_part(folder, spec, source, shard=shard, device=device)], device)


def refuse_finished(folder: Path) -> None:
    """UserError where an index is finished already."""
    if (folder / HEAD).exists():
        raise UserError(
            f"{folder} already holds an index. Try lmmscope index show, or another folder"
        )


def merge_index(folder: Path, sources: Sequence[Path], device: torch.device | str = "cpu") -> None:
    """Finish an index whose parts lie in several folders."""
    refuse_finished(folder)
    files = [path for source in sources for path in part_files(source)]
    if not files:
        names = ", ".join(str(source) for source in sources)
        raise UserError(f"No parts of an index in {names}. Try lmmscope index build")
    finish(folder, [load_part(path) for path in files], device)
