"""Findings as CSV (RFC 4180, UTF-8) for spreadsheets, which take some texts for formulas.

Labels and summaries come from models and pictures, so a text that a spreadsheet would run gets an
apostrophe in front, as OWASP advises. Knows cells; nothing of findings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from agent.findings import Finding
from review.exports.table import COLUMNS, Cell, row_of

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""How a text begins that is taken for a formula; the last four are `=+-@` in full width."""


def csv_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The heading, then a line a finding; with line ends."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow([column.name for column in COLUMNS])
    yield _taken(held)
    for finding in findings:
        writer.writerow([_safe(cell) for cell in row_of(finding).values()])
        yield _taken(held)


def _safe(cell: Cell) -> Cell:
    """Numbers stay numbers; only a text can be a formula."""
    if isinstance(cell, str) and cell.lstrip(" \u00a0").startswith(RUN_BY_SPREADSHEETS):
        return f"'{cell}"
    return cell


def _taken(held: io.StringIO) -> str:
    line = held.getvalue()
    held.seek(0)
    held.truncate()
    return line
