"""Everything about a run as JSON lines, a record each; pictures by their ids.

Knows documents; nothing of files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import BaseModel

from agent.store import Reader, RunRecord
from review.exports.source import each_part


def record_lines(store: Reader, run: RunRecord) -> Iterator[str]:
    """The run first, then what happened and was asked, unit by unit, then what was found."""
    yield _line("run", run)
    for part in each_part(store, run.id):
        yield from (_line("event", event) for event in part.events)
        yield from (_line("call", call) for call in part.calls)
    for finding in store.findings(run.id):
        yield _line("finding", finding, id=finding.id)
        for verdict in store.verdicts(finding.id):
            yield _line("verdict", verdict)


def _line(record: str, document: BaseModel, **more: str) -> str:
    return f"{json.dumps({'record': record, **more, **document.model_dump(mode='json')})}\n"
