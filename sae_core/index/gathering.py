"""Parts of an index that are counted elsewhere and come in any order.

Each is on disk before the next is asked for, joined with its neighbours, so that few lie there and
a process that is killed goes on with what is missing. Knows files and spans; nothing of who counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sae_core.errors import UserError
from sae_core.index.arrays import PARTS
from sae_core.index.build import SHARD, file_of, part_files, span_of
from sae_core.index.part import Part, load_part, merged, save_part
from sae_core.index.spec import IndexSpec, check_same


class Gathering:
    """The parts of a range of pictures, in a folder."""

    def __init__(self, folder: Path, spec: IndexSpec, wanted: range) -> None:
        """What an earlier process left half done is removed, what it has done counts."""
        self._folder, self._wanted = folder, wanted
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        for left in (folder / PARTS).glob("*.tmp"):
            if _within(span_of(left.with_suffix("")), wanted):
                left.unlink()
        self._spans = [span for span in map(span_of, part_files(folder)) if _meet(span, wanted)]
        for span in self._spans:
            self._check(file_of(folder, span), spec)

    def missing(self, size: int, batch: int) -> list[range]:
        """What is still to be counted, in spans of at most so many pictures.

        They are cut where a build in one process ends a batch, so that a model sees the same
        pictures together: what it computes may depend on that in the last digits.
        """
        size = max(batch, size - size % batch)
        return [piece for gap in self._gaps() for piece in _pieces(gap, self._wanted, size)]

    def add(self, part: Part) -> None:
        """Keep a part that was missing."""
        (span,) = part.seen
        beside = [one for one in self._spans if one.stop == span.start or one.start == span.stop]
        known = [load_part(file_of(self._folder, one)) for one in beside]
        joined = merged([part, *known])
        (whole,) = joined.seen
        save_part(joined, file_of(self._folder, whole))
        for one in beside:
            if one.start != whole.start or one.stop != whole.stop:
                file_of(self._folder, one).unlink()
        self._spans = [one for one in self._spans if one not in beside] + [whole]

    def whole(self) -> Part:
        """All of it."""
        if self._spans != [self._wanted]:
            raise ValueError(f"pictures {self._gaps()} are missing")
        return load_part(file_of(self._folder, self._wanted))

    def _check(self, path: Path, spec: IndexSpec) -> None:
        span = span_of(path)
        if not _within(span, self._wanted):
            raise UserError(
                f"{path} holds pictures beyond {self._wanted.start} to {self._wanted.stop - 1}, "
                "which are asked for. Try lmmscope index merge, or build into another folder"
            )
        check_same(load_part(path).spec, spec, path)

    def _gaps(self) -> list[range]:
        gaps, at = [], self._wanted.start
        for span in [*sorted(self._spans, key=lambda one: one.start), range(self._wanted.stop, 0)]:
            if at < span.start:
                gaps.append(range(at, span.start))
            at = span.stop
        return gaps


def _pieces(gap: range, wanted: range, size: int) -> Iterator[range]:
    at = gap.start
    while at < gap.stop:
        shard = at - (at - wanted.start) % SHARD
        next_cut = shard + ((at - shard) // size + 1) * size
        end = min(next_cut, shard + SHARD, gap.stop)
        yield range(at, end)
        at = end


def _within(span: range, wanted: range) -> bool:
    return wanted.start <= span.start and span.stop <= wanted.stop


def _meet(span: range, wanted: range) -> bool:
    return span.start < wanted.stop and wanted.start < span.stop
