"""Exports to download: a run in each of its formats, findings as a table.

They are sent as files, never shown as pages, since they are made of what models wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from review.exports.csv_lines import csv_lines
from review.exports.json_lines import json_lines
from review.exports.runs import RunFormat, name_of, pieces_of
from review.filters import Asked
from review.queries import findings as queries
from review.site import Here

router = APIRouter(prefix="/exports")


@router.get("/runs/{name}/{form}")
def run(here: Here, name: str, form: RunFormat) -> StreamingResponse:
    """A run as a file."""
    found = here.store.run(name)
    return _download(pieces_of(here.store, found, form), name_of(found, form))


@router.get("/findings.{form}")
def findings(here: Here, form: Literal["csv", "jsonl"], asked: Asked) -> StreamingResponse:
    """The findings that fit the filters of the table, a row each."""
    names = queries.names(here.store, asked.wanted)
    found = (here.store.finding(name) for name in names)
    return _download(csv_lines(found) if form == "csv" else json_lines(found), f"findings.{form}")


def _download(pieces: Iterator[str], name: str) -> StreamingResponse:
    """A run's name has letters, digits, - and . alone, so it needs no quoting."""
    told = {"Content-Disposition": f'attachment; filename="{name}"'}
    content = (piece.encode() for piece in pieces)
    return StreamingResponse(content, media_type="application/octet-stream", headers=told)
