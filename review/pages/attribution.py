"""Why the model says one word and not another: features, places in the picture, words of the text.

Knows addresses and what a page is made of; scores are worked out by whoever has the model.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from review import drafts
from review.bench import Cause, Job, Question, Why
from review.drafts import Fields, Shown, question_of, shown_of, text
from review.pages.steering import Name, bench, chosen, job_of, told_in, with_picture
from review.queries import features as features_known
from review.site import Here, Site
from review.uploads import form_of

router = APIRouter(prefix="/attribution")
STEPS = 4
"""Shades of a colour, from the weakest to the strongest."""
FIRST = 10
"""Features that are shown before anybody asks for more or fewer."""


class Draft(NamedTuple):
    """A question as far as it is filled in."""

    shown: Shown = Shown()
    question: str = ""
    answer: str = ""
    baseline: str = ""
    top: str = "12"

    def query(self) -> str:
        """What stands in an address after the question mark."""
        named = ("question", "answer", "baseline", "top")
        return urlencode([*self.shown.fields(), *((name, getattr(self, name)) for name in named)])


class Word(NamedTuple):
    """A token of the text, and how strongly it speaks."""

    text: str
    score: float
    shade: int
    """From -STEPS, against the answer, to STEPS, for it."""


class Focus(NamedTuple):
    """What is shown of all features, or of one."""

    cause: Cause | None
    heat: str | None
    words: tuple[Word, ...]
    image: float
    text: float


def draft_of(fields: Fields) -> Draft:
    """What was filled in."""
    usual = Draft()
    given = {name: text(fields, name, getattr(usual, name)) for name in usual._fields[1:]}
    return Draft(shown_of(fields), **given)


@router.get("")
def form(request: Request, here: Here) -> HTMLResponse:
    """The form, filled in as its address says."""
    return _page(here, draft_of(request.query_params))


@router.post("")
async def begin(request: Request, here: Here) -> Response:
    """Ask what the form says."""
    fields = await form_of(request)
    hands = bench(here)
    picture = await chosen(here, hands, shown_of(fields))
    return RedirectResponse(f"/attribution/{hands.begin(question_of(fields, picture))}", 303)


@router.post("/picture")
async def brought(request: Request, here: Here) -> Response:
    """Keep a picture, and go on with the form."""
    return await with_picture(request, here, "/attribution", draft_of)


@router.get("/{name}")
def answer(
    here: Here,
    name: Name,
    feature: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:
    """What came out, for all features together or for one; or how far it is."""
    job = job_of(here, name, Question)
    if job is not None and job.kept is None:
        assert isinstance(job.asked, Question)
        return _page(here, _draft_from(job.asked), job=job)
    known = job.kept if job and job.kept else name
    why: Why = told_in(here, known, Why)
    return _page(here, _draft_from(why.asked), why=why, name=known, feature=feature)


@router.post("/{name}/stop")
def stop(here: Here, name: Name) -> Response:
    """End it as soon as that is possible."""
    bench(here).stop(name)
    return RedirectResponse(f"/attribution/{name}", 303)


def focused(why: Why, feature: int | None) -> Focus:
    """What to show of one feature, or of all together."""
    cause = next((one for one in why.causes if one.feature == feature), None)
    scores = why.totals if cause is None else cause.tokens
    return Focus(
        cause=cause,
        heat=why.heat if cause is None else cause.heat,
        words=shaded(why.words, scores),
        image=why.by_image if cause is None else cause.image,
        text=why.by_text if cause is None else cause.text,
    )


def shaded(words: tuple[str, ...], scores: tuple[float, ...]) -> tuple[Word, ...]:
    """Each token in a shade by its share of the strongest."""
    most = max(map(abs, scores), default=0) or 1
    return tuple(
        Word(word, score, round(STEPS * score / most))
        for word, score in zip(words, scores, strict=True)
    )


def _draft_from(asked: Question) -> Draft:
    named = {name: getattr(asked, name) for name in ("question", "answer", "baseline")}
    return Draft(Shown(asked.picture or ""), **named, top=str(asked.top))


def _page(
    here: Site,
    draft: Draft,
    *,
    job: Job | None = None,
    why: Why | None = None,
    name: str | None = None,
    feature: int | None = None,
) -> HTMLResponse:
    numbers = [one.feature for one in why.causes] if why else []
    return here.show(
        "attribution.html",
        draft=draft,
        job=job,
        why=why,
        name=name,
        model=here.hands.model(load=True) if here.hands else None,
        focus=focused(why, feature) if why else None,
        known=features_known.named(here.store, why.coder, numbers) if why and numbers else {},
        most=max((abs(one.image + one.text) for one in why.causes), default=0) if why else 0,
        first=FIRST,
        splits=drafts.SPLITS,
    )
