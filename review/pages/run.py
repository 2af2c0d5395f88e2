"""A run's transcript: its answer, and below it all that was done, unit by unit and step by step.

A run may have thousands of units with hundreds of events each, so beyond a certain size each level
is fetched when it is opened.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from review.drafts import text
from review.hands import Hands
from review.queries import events as queries
from review.queries.runs import RunLine, line
from review.site import Here, Site
from review.timeline import StepView, UnitView, opened, steps_of
from review.uploads import form_of

AT_ONCE = 250
"""Events of a run that are sent with its page."""
DOWNLOADS = (
    ("html", "one page", "Everything in one HTML file, pictures and all"),
    ("json", "records", "What is in the store of it, a JSON line each"),
    ("inspect", "Inspect's log", "For the viewer of inspect-ai"),
    ("spans", "spans", "OpenTelemetry, OTLP in JSON lines"),
)
"""Each format that a run is exported to, with what it is called and for."""

router = APIRouter(prefix="/runs/{name}")
Unit = Annotated[str, Query(max_length=200)]
After = Annotated[str | None, Query(max_length=200)]


def known(here: Site, name: str) -> RunLine:
    """A run's line; a run that there is not is no page."""
    found = line(here.store, name)
    if found is None:
        raise HTTPException(404, f"There is no run {name!r}.")
    return found


@router.get("")
def run(here: Here, name: str) -> HTMLResponse:
    """The transcript, as far as it got."""
    found = known(here, name)
    # The mark first: what comes in while the page is made is sent again, and put in its place.
    mark = queries.tail(here.store, name).mark if found.status == "running" else None
    return here.show(
        "run.html",
        line=found,
        run=here.store.run(found.id),
        mark=mark,
        acting=here.hands is not None,
        downloads=DOWNLOADS,
        process=here.hands.process(found.id) if here.hands else None,
        **_listed(here, found, None),
    )


@router.get("/units")
def units(here: Here, name: str, after: After = None) -> HTMLResponse:
    """Some units of a run, closed."""
    found = known(here, name)
    return here.show("units.html", line=found, **_listed(here, found, after))


@router.get("/unit")
def unit(here: Here, name: str, unit: Unit) -> HTMLResponse:
    """One unit with its steps: a link may lead to one that is not listed yet."""
    found = known(here, name)
    one = queries.unit(here.store, name, unit)
    if one is None:
        raise HTTPException(404, f"There is no unit {unit!r} in the run {name}.")
    return here.show("unit.html", line=found, unit=opened(one, steps(here, name, unit)))


@router.get("/steps")
def inside(here: Here, name: str, unit: Unit) -> HTMLResponse:
    """The steps of a unit."""
    return here.show("steps.html", line=known(here, name), steps=steps(here, name, unit))


@router.get("/event")
def event(here: Here, name: str, unit: Unit, step: int, place: int) -> HTMLResponse:
    """What a tool was given and gave back, or what else an event carries."""
    of_step = queries.events(here.store, name, unit, step)
    found = next((one for one in of_step if one.place == place), None)
    if found is None:
        raise HTTPException(404, f"There is no event {unit}.{step}.{place} in the run {name}.")
    return here.show("event.html", event=found)


@router.get("/search")
def search(
    here: Here, name: str, q: Annotated[str, Query(max_length=200)] = "", after: After = None
) -> HTMLResponse:
    """Events of a run with some words."""
    found = queries.search(here.store, name, q, after=after) if q.strip() else None
    return here.show("hits.html", line=known(here, name), words=q, found=found)


@router.post("/pause")
async def pause(here: Here, name: str) -> Response:
    """Let a run stop after the step at work."""
    await _hands(here, name).pause(name)
    return RedirectResponse(f"/runs/{name}", 303)


@router.post("/resume")
async def resume(here: Here, name: str) -> Response:
    """Go on with a run that stopped."""
    await _hands(here, name).resume(name)
    return RedirectResponse(f"/runs/{name}/starting", 303)


@router.post("/approve")
async def approve(request: Request, here: Here, name: str) -> Response:
    """Agree to what a run asked for."""
    return await _answered(request, here, name, agreed=True)


@router.post("/refuse")
async def refuse(request: Request, here: Here, name: str) -> Response:
    """Have a run go on without what it asked for."""
    return await _answered(request, here, name, agreed=False)


async def _answered(request: Request, here: Site, name: str, *, agreed: bool) -> Response:
    # The page may be old: the answer is to what stood on it, and to nothing else.
    asked = text(await form_of(request), "asked")
    await _hands(here, name).answer(name, asked, agreed=agreed)
    return RedirectResponse(f"/runs/{name}/starting", 303)


@router.post("/abort")
async def abort(here: Here, name: str) -> Response:
    """Stop a run for good."""
    await _hands(here, name).abort(name)
    return RedirectResponse(f"/runs/{name}", 303)


def _hands(here: Site, name: str) -> Hands:
    if here.hands is None:
        raise HTTPException(404, "This server only reads.")
    known(here, name)
    return here.hands


def steps(here: Site, run: str, unit: str) -> tuple[StepView, ...]:
    """A unit's steps with their events."""
    store = here.store
    lines, happened = queries.steps(store, run, unit), queries.events(store, run, unit)
    return steps_of(unit, lines, happened, here.is_picture)


def _listed(here: Site, run: RunLine, after: str | None) -> dict[str, Any]:
    page = queries.units(here.store, run.id, after=after)
    at_once = run.events <= AT_ONCE
    views = [
        # The request and its tasks are short; it is their features that are many.
        opened(one, steps(here, run.id, one.unit)) if at_once or "/" not in one.unit
        else UnitView(one, "", None)
        for one in page.rows
    ]  # fmt: skip
    return {"units": views, "after": page.after}
