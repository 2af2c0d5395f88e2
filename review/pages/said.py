"""What models were sent in a step and what they answered, word for word."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse

from review.queries import events as queries
from review.site import Here

router = APIRouter(prefix="/runs/{name}")


@router.get("/calls")
def calls(
    here: Here, name: str, unit: Annotated[str, Query(max_length=200)], step: int
) -> HTMLResponse:
    """The calls of a step, each to be opened."""
    found = queries.calls(here.store, name, unit, step)
    return here.show("calls.html", run=name, calls=found)


@router.get("/calls/{number}")
def call(here: Here, name: str, number: int) -> HTMLResponse:
    """One call, word for word."""
    found = queries.call(here.store, name, number)
    if found is None:
        raise HTTPException(404, f"There is no call {number} in the run {name}.")
    return here.show("call.html", call=found)
