"""The playground: write features into the model, and watch what it says beside what it said.

A form whose address holds all that is filled in, and the replies as they come. Without its module
the page works too: a form is sent, and the replies are looked at again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from review import drafts
from review.bench import CONTROLS, KINDS, LONGEST, MODES, MOST, PLACES, Job, Told, Trial
from review.drafts import Draft, Fields, Shown, draft_from, draft_of
from review.hands import Hands
from review.pictures import Unreadable, decoded, written
from review.queries import features as features_known
from review.queries import labels as queries
from review.site import Here, Site
from review.told import told_apart
from review.uploads import form_of, kept

router = APIRouter(prefix="/steer")
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{12,64}$")]


@router.get("")
def playground(request: Request, here: Here) -> HTMLResponse:
    """The form, filled in as its address says."""
    return page(here, draft_of(request.query_params), None)


@router.post("")
async def begin(request: Request, here: Here) -> Response:
    """Try what the form says."""
    draft = draft_of(await form_of(request))
    hands = bench(here)
    picture = await chosen(here, hands, draft.shown)
    return RedirectResponse(f"/steer/{hands.begin(draft.trial(picture))}#replies", 303)


@router.post("/picture")
async def brought(request: Request, here: Here) -> Response:
    """Keep a picture, and go on with the form."""
    return await with_picture(request, here, "/steer", draft_of)


@router.get("/labels")
def labels(here: Here, find: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Features whose findings have some words."""
    coder = here.hands.model().coder if here.hands else None
    found = queries.labelled(here.store, find, coder) if find.strip() else ()
    return here.show("steer_labels.html", found=found, words=find, most=MOST)


@router.get("/model")
def model(here: Here) -> HTMLResponse:
    """Whether the model is loaded."""
    return here.show("steer_model.html", model=bench(here).model())


@router.get("/splits/{split}/{number}.png")
def picture(here: Here, split: str, number: Annotated[int, Path(ge=0)]) -> Response:
    """A picture of a split that anybody may look at."""
    if split not in drafts.SPLITS:
        raise HTTPException(404, f"There are no pictures of {split!r} to choose from.")
    content = written(decoded(bench(here).picture(split, number)), 384)
    return Response(content, media_type="image/png", headers={"Cache-Control": "private"})


@router.get("/{name}")
def trial(here: Here, name: Name) -> HTMLResponse:
    """A trial as far as it is, or as it was kept."""
    job = job_of(here, name, Trial)
    if job is not None and job.kept is None:
        assert isinstance(job.asked, Trial)
        return page(here, draft_from(job.asked), job)
    told = told_in(here, job.kept if job and job.kept else name, Told)
    return page(here, draft_from(told.asked), job, told=told, name=job.kept if job else name)


@router.post("/{name}/stop")
def stop(here: Here, name: Name) -> Response:
    """End it after the token at work."""
    bench(here).stop(name)
    return RedirectResponse(f"/steer/{name}#replies", 303)


@router.get("/{name}/recipe.json")
def recipe(here: Here, name: Name) -> Response:
    """The recipe that does the same again, as a file."""
    told = told_in(here, name, Told)
    as_file = f'attachment; filename="recipe-{told.recipe[:12]}.json"'
    return Response(
        here.store.artefacts.get(told.recipe),
        media_type="application/octet-stream",
        headers={"Content-Disposition": as_file},
    )


def page(
    here: Site, draft: Draft, job: Job | None, *, told: Told | None = None, name: str | None = None
) -> HTMLResponse:
    """The form with what was said, if something was."""
    model = here.hands.model(load=True) if here.hands else None
    numbers = drafts.features_in(draft.writes)
    coder = (told.coder if told else None) or (model.coder if model else None)
    replies = told.replies if told else job.replies if job else ()
    return here.show(
        "steer.html",
        draft=draft,
        job=job,
        told=told,
        name=name or (job.name if job else None),
        model=model,
        known=features_known.named(here.store, coder, numbers) if coder and numbers else {},
        peaks={one.feature: one for one in here.hands.peaks(numbers)} if here.hands else {},
        coder=coder,
        replies=told_apart(replies),
        waited_for=_waited_for(job, told),
        names=drafts.NAMES,
        explained=drafts.EXPLAINED,
        choices={"kinds": KINDS, "places": PLACES, "modes": MODES, "controls": CONTROLS},
        splits=drafts.SPLITS,
        longest=LONGEST,
        most=MOST,
    )


def _waited_for(job: Job | None, told: Told | None) -> tuple[str, ...]:
    """The replies that a trial is to have."""
    if told is not None or job is None or not isinstance(job.asked, Trial):
        return ()
    in_turn = sorted(job.asked.controls, key=lambda one: one == "prompt_only")
    return ("unsteered", "steered", *in_turn)


async def with_picture(
    request: Request, here: Site, address: str, draft_of: Callable[[Fields], Any]
) -> Response:
    """A form again, with the picture that somebody brought, if there is one."""
    fields = await form_of(request)
    draft = draft_of(fields)
    name = await kept(here.store, fields.get("file"))
    shown = Shown(name) if name else draft.shown
    return RedirectResponse(f"{address}?{draft._replace(shown=shown).query()}", 303)


def bench(here: Site) -> Hands:
    """Who has the model."""
    if here.hands is None:
        raise HTTPException(404, "This server only reads: it has no model at hand.")
    return here.hands


async def chosen(here: Site, hands: Hands, shown: Shown) -> str | None:
    """The artefact of the picture that was chosen."""
    if not shown.number:
        if shown.picture and not here.is_picture(shown.picture):
            raise HTTPException(404, f"There is no picture {shown.picture[:12]}: choose one.")
        return shown.picture or None

    def taken() -> str:
        content = hands.picture(shown.split, int(shown.number))
        return here.store.artefacts.put_picture(decoded(content))

    try:
        return await run_in_threadpool(taken)
    except Unreadable as error:
        raise HTTPException(415, f"The picture {shown.number} can't be shown: {error}.") from None


def job_of(here: Site, name: str, kind: type[BaseModel]) -> Job | None:
    """What was asked for, if it was of this kind and is remembered."""
    job = here.hands.job(name) if here.hands else None
    return job if job is not None and isinstance(job.asked, kind) else None


def told_in(here: Site, name: str, kind: type[Any]) -> Any:
    """A document that was kept."""
    if len(name) != 64:
        raise HTTPException(404, f"{name} is not remembered any more: ask again.")
    return here.store.artefacts.document(name, kind)
