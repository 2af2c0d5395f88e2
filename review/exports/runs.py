"""The formats that a run can be exported to, and what their files are called.

Knows which function writes which format.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from agent.errors import UserError
from agent.store import Reader, RunRecord
from review.exports.inspect_log import log_name, log_pieces
from review.exports.otlp import otlp_lines
from review.exports.pictures import Pictures
from review.exports.records import record_lines
from review.exports.run_page import page_pieces
from review.exports.spans import spans_of
from review.exports.telemetry import configured_exporter, send

RunFormat = Literal["json", "html", "inspect", "spans"]


def name_of(run: RunRecord, form: RunFormat) -> str:
    """What the file is called if nobody says otherwise."""
    endings = {"json": "jsonl", "html": "html", "spans": "spans.jsonl"}
    return log_name(run) if form == "inspect" else f"{run.id}.{endings[form]}"


def pieces_of(store: Reader, run: RunRecord, form: RunFormat) -> Iterator[str]:
    """The file, piece by piece."""
    match form:
        case "json":
            return record_lines(store, run)
        case "html":
            return page_pieces(store, run)
        case "inspect":
            return log_pieces(store, run, Pictures(store))
        case "spans":
            return otlp_lines(spans_of(store, run), _version(run))


def send_spans(store: Reader, run: RunRecord) -> str:
    """Send a run's spans to where the environment says, and tell how it went."""
    told = send(spans_of(store, run), configured_exporter(), _version(run))
    if told.arrived < told.spans:
        raise UserError(
            f"Of the first {told.spans} spans of the run {run.id} {told.arrived} arrived. See to "
            "the receiver, then try again: what arrived is not doubled"
        )
    return f"sent {told.spans} spans of the run {run.id}"


def _version(run: RunRecord) -> str:
    """Of the program that did the run."""
    return run.provenance.packages.get("lmmscope", "")
