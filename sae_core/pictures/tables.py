"""Parquet files with a column of pictures, as data sets on a hub have it: the extra `parquet`.

Knows the two ways in which such a column holds a picture: its bytes, or a struct with its bytes and
its path. A row group is read at a time, and the last ones are kept: a single row can't be read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from sae_core.errors import UserError
from sae_core.pictures.shards import Found, Place, unreadable

PICTURE = ("image", "img", "picture", "jpg", "png", "webp")
"""What a column of pictures is called; the first of these that a table has."""
GROUPS_KEPT = 2
"""Row groups of a file in memory: one can have a hundred megabytes."""


class Rows:
    """Some columns of a Parquet file, row by row; a row is a tuple of plain values."""

    def __init__(self, path: Path, *columns: Sequence[str]) -> None:
        self.path, self._wanted = path, columns
        self._group = lru_cache(GROUPS_KEPT)(self.group)

    @cached_property
    def ends(self) -> list[int]:
        """The row after the last one of each row group."""
        with _opened(self.path) as file:
            about = file.metadata
            groups = range(about.num_row_groups)
            return list(accumulate(about.row_group(group).num_rows for group in groups))

    def __len__(self) -> int:
        """How many rows there are."""
        return self.ends[-1] if self.ends else 0

    def group(self, number: int) -> list[tuple[Any, ...]]:
        """The rows of a row group."""
        with _opened(self.path) as file:
            names = [self._column(file.schema_arrow.names, wanted) for wanted in self._wanted]
            try:
                table = file.read_row_group(number, columns=names)
            except (OSError, ValueError) as error:
                raise unreadable(self.path, error) from None
            return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))

    def row(self, number: int) -> tuple[Any, ...]:
        """One row."""
        group = bisect_right(self.ends, number)
        first = self.ends[group - 1] if group else 0
        return self._group(group)[number - first]

    def _column(self, names: Sequence[str], wanted: Sequence[str]) -> str:
        for name in wanted:
            if name in names:
                return name
        raise UserError(
            f"{self.path} has no column {' or '.join(wanted)}: it has {', '.join(names)}. "
            "Rename the column, or name another data set"
        )


class Table:
    """A Shard."""

    def __init__(self, path: Path) -> None:
        self.path, self._rows = path, Rows(path, PICTURE)

    def files(self) -> Sequence[Path]:
        """The file."""
        return [self.path]

    def columns(self) -> Sequence[str]:
        """What its columns are called."""
        with _opened(self.path) as file:
            return file.schema_arrow.names

    def found(self) -> Iterator[Found]:
        """The pictures in the order of the rows."""
        row = 0
        for number in range(len(self._rows.ends)):
            for (cell,) in self._rows.group(number):
                data = bytes_of(cell)
                place = Place(row, len(data) if data is not None else 0)
                yield Found(f"{self.path.name} row {row}", place, data)
                row += 1

    def data(self, place: Place) -> bytes:
        """The bytes of a row."""
        (cell,) = self._rows.row(place.at)
        return bytes_of(cell) or b""


def bytes_of(cell: Any) -> bytes | None:
    """The bytes of a picture in a cell, if it holds one."""
    found = cell.get("bytes") if isinstance(cell, dict) else cell
    return found if isinstance(found, bytes) else None


def _opened(path: Path) -> Any:
    """A Parquet file; an error names the extra where pyarrow is not installed."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UserError(
            f"{path} needs pyarrow, which is not installed. Try pip install 'lmmscope[parquet]'"
        ) from None
    try:
        return ParquetFile(path)
    except (OSError, ArrowException) as error:
        raise unreadable(path, error) from None
