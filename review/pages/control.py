"""Runs that are begun from the page, and the moments in which the store knows nothing of them yet.

Knows addresses; processes are somebody else's.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from review.drafts import text
from review.pages.steering import bench
from review.queries.runs import line
from review.site import Here
from review.uploads import form_of

router = APIRouter(prefix="/runs")
LONGEST = 2000
"""Characters of a question."""


@router.post("")
async def ask(request: Request, here: Here) -> Response:
    """Begin a run with a question."""
    question = text(await form_of(request), "question").strip()
    if not 0 < len(question) <= LONGEST:
        raise HTTPException(422, f"Ask something, in at most {LONGEST:,} characters.")
    return RedirectResponse(f"/runs/{await bench(here).ask(question)}/starting", 303)


@router.get("/{name}/starting")
def starting(request: Request, here: Here, name: str) -> Response:
    """Until the run is there, what its process prints; then the run."""
    process = here.hands.process(name) if here.hands else None
    known = line(here.store, name) is not None
    if process is None and not known:
        raise HTTPException(404, f"There is no run {name!r}.")
    if process is None or process.doing == "pausing" or (process.doing == "failed" and known):
        return _to_the_run(request, name)
    return here.show("starting.html", name=name, process=process, known=known)


def _to_the_run(request: Request, name: str) -> Response:
    """A part of a page that asks goes there as a whole."""
    address = f"/runs/{name}"
    if request.headers.get("hx-request") == "true":
        return HTMLResponse("", headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
