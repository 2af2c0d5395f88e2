"""The list of runs: which there are, how they stand, what they came to and cost."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from review.queries import runs as queries
from review.site import Here

router = APIRouter()
LONGEST = 200
"""Characters that may be searched for."""


@router.get("/")
def home() -> Response:
    """Runs are what one comes for."""
    return RedirectResponse("/runs", 303)


@router.get("/runs")
def runs(
    here: Here,
    status: str = "",
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    after: str | None = None,
) -> HTMLResponse:
    """The latest runs, or those that went before."""
    if status not in ("", *queries.STATUSES):
        raise HTTPException(404, f"No run is {status!r}: they are {', '.join(queries.STATUSES)}.")
    wanted = queries.Wanted(status or None, q)
    page = queries.page(here.store, wanted, after=after)
    kept = {"status": status, "q": q}
    older = f"/runs?{urlencode({**kept, 'after': page.after})}" if page.after else None
    return here.show(
        "runs.html",
        lines=page.rows,
        tallies=queries.tallies(here.store),
        wanted=wanted,
        older=older,
        first=after is None,
        acting=here.hands is not None,
    )


@router.get("/runs/{name}/line")
def line(here: Here, name: str) -> HTMLResponse:
    """One line of the list, as it is now."""
    found = queries.line(here.store, name)
    if found is None:
        raise HTTPException(404, f"There is no run {name!r}.")
    return here.show("run_line.html", line=found)
