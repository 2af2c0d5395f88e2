"""The live end of a run, as server-sent events: the units and steps in which something happened.

A reader that was cut off says what it saw last and is sent the rest. What it gets is drawn by the
same templates as the page; its script puts it where it belongs.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from review.pages.run import known, steps
from review.queries import events as queries
from review.queries.paging import key_of
from review.queries.paging import mark as mark_of
from review.queries.runs import RunLine
from review.site import Here, Site
from review.timeline import opened

PAUSE = 0.4
"""Seconds between looks; a process of its own does the work, so nobody can tell us."""
QUIET = 15.0
"""Seconds after which a line is sent that says nothing, to keep the connection."""

router = APIRouter(prefix="/runs/{name}")


class News(NamedTuple):
    """What is sent at one look."""

    text: str
    mark: str
    over: bool


@router.get("/tail")
def tail(
    request: Request,
    here: Here,
    name: str,
    after: Annotated[str | None, Query(max_length=200)] = None,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> StreamingResponse:
    """What happens from a mark on, until the run stops."""
    known(here, name)
    mark = last_event_id or after or mark_of("", 0)
    key_of(mark, str, int)
    return StreamingResponse(
        _told(request, here, name, mark),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _told(request: Request, here: Site, run: str, mark: str) -> AsyncGenerator[str]:
    yield "retry: 2000\n\n"
    silent = 0.0
    while not await request.is_disconnected():
        news = await run_in_threadpool(_news, here, run, mark)
        mark = news.mark
        if news.text:
            silent = 0.0
            yield news.text
        if news.over:
            return
        if not news.text:
            await asyncio.sleep(PAUSE)
            silent += PAUSE
        if silent >= QUIET:
            silent = 0.0
            yield ": nothing new\n\n"


def _news(here: Site, run: str, mark: str) -> News:
    # The standing first: a run that stops has told everything by then.
    line = known(here, run)
    found = queries.tail(here.store, run, mark)
    parts: dict[str, set[int]] = {}
    for event in found.events:
        parts.setdefault(event.unit, set()).add(event.step)
    units = [_unit(here, line, unit, changed) for unit, changed in parts.items()]
    over = line.status != "running" and not found.events
    text = ""
    if found.events:
        parts_of_head = {
            "facts": here.draw("run_facts.html", line=line),
            "asks": here.draw("run_asks.html", line=line, acting=False),
        }
        latest = found.events[-1]
        said = f"{latest.unit}: {latest.text}"
        text = _message("news", {"units": units, "latest": said, **parts_of_head}, found.mark)
    if over:
        text += _message("over", {"status": line.status}, found.mark)
    return News(text, found.mark, over)


def _unit(here: Site, run: RunLine, unit: str, changed: set[int]) -> dict[str, object]:
    line = queries.unit(here.store, run.id, unit)
    if line is None:  # it is being done again at this moment, and will be told of anew
        return {"unit": unit, "html": "", "steps": []}
    now = steps(here, run.id, unit)
    view = opened(line, now)._replace(steps=None)
    return {
        "unit": unit,
        "html": here.draw("unit.html", line=run, unit=view),
        "steps": [
            here.draw("step.html", line=run, step=one) for one in now if one.line.step in changed
        ],
    }


def _message(kind: str, data: dict[str, object], mark: str) -> str:
    return f"event: {kind}\nid: {mark}\ndata: {json.dumps(data)}\n\n"
