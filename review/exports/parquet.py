"""Findings as Parquet, with the columns of the table and their types.

Needs pyarrow, which is an extra. Knows rows; nothing of what they mean.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from agent.errors import UserError
from agent.findings import Finding
from review.exports.table import COLUMNS, Row, row_of

ROWS = 1000
"""In a row group, and so in memory."""


def write_parquet(findings: Iterable[Finding], file: IO[bytes]) -> None:
    """All findings, a group of rows at a time."""
    arrow, parquet = _arrow("pyarrow"), _arrow("pyarrow.parquet")
    types = {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "truth": arrow.bool_(),
    }
    schema = arrow.schema([(column.name, types[column.type]) for column in COLUMNS])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in _grouped(row_of(one) for one in findings):
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _grouped(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while group := list(islice(rows, ROWS)):
        yield group


def _arrow(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UserError(
            'Parquet needs pyarrow, which is not installed. Try pip install "lmmscope[parquet]", '
            "or --format csv"
        ) from None
