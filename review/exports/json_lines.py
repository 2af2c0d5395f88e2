"""Findings as JSON lines: a flat object each, with the same names as the columns of the table.

Knows rows; nothing of what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from agent.findings import Finding
from review.exports.table import row_of


def json_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A line a finding, with line ends; what there is nothing to say about is null."""
    for finding in findings:
        yield f"{json.dumps(row_of(finding), ensure_ascii=False, allow_nan=False)}\n"
