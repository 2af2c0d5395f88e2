"""What is worked out for a page, as server-sent events: how far it is, and the words so far.

Knows jobs; what they are about is shown by the pages that ask for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from review.bench import Job
from review.hands import Hands
from review.pages.steering import Name, bench
from review.site import Here

PAUSE = 0.04
"""Seconds between looks; faster than words can be read."""
QUIET = 15.0
"""Seconds after which a line is sent that says nothing, to keep the connection."""

router = APIRouter(prefix="/jobs")


@router.get("/{name}/news")
def news(request: Request, here: Here, name: Name) -> StreamingResponse:
    """Everything that changes, until it is over."""
    hands = bench(here)
    if hands.job(name) is None:
        raise HTTPException(404, f"{name} is not remembered any more: ask again.")
    return StreamingResponse(
        _told(request, hands, name),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _told(request: Request, hands: Hands, name: str) -> AsyncGenerator[str]:
    yield "retry: 2000\n\n"
    before, silent = None, 0.0
    while not await request.is_disconnected():
        job = hands.job(name)
        if job is None:
            return
        if (now := (job.news, job.note)) != before:
            before, silent = now, 0.0
            yield _message(job)
        if job.over:
            return
        await asyncio.sleep(PAUSE)
        silent += PAUSE
        if silent >= QUIET:
            silent = 0.0
            yield ": nothing new\n\n"


def _message(job: Job) -> str:
    data = {
        "state": job.state,
        "note": job.note,
        "replies": {one.name: one.text for one in job.replies},
        "kept": job.kept,
    }
    return f"event: {'over' if job.over else 'news'}\ndata: {json.dumps(data)}\n\n"
