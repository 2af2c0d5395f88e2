"""Verdicts of people: a queue that shows a label and pictures, and what the agent says only after.

A verdict is put beside the finding, never over it: the store is opened for writing for that moment
alone. Knows reviewers by the name that they gave; nothing of how far people agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote, unquote

from fastapi import APIRouter, Cookie, Form, HTTPException, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from agent.findings import FeatureFinding, Tag
from agent.store import Store, Verdict
from review.agreement import agreement, pairs
from review.blind import shown
from review.comparing import compared
from review.filters import Filters
from review.queries import verdicts as queries
from review.site import Here, Site

SCORES = {
    1: "wrong: it says nothing of what the feature does",
    2: "mostly wrong",
    3: "half right: too broad, too narrow, or one of several things",
    4: "mostly right",
    5: "right: it says exactly what the feature does",
}
TAGS: dict[str, str] = dict(zip("bnwopdu", get_args(Tag), strict=True))
"""What may be the matter, by the key that marks it."""
YEAR = 365 * 24 * 3600
COOKIE = "reviewer"
LATEST = 10

router = APIRouter(prefix="/verdicts")
Reviewer = Annotated[str | None, Cookie(alias=COOKIE)]
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{4,16}$")]
Note = Annotated[str, Form(max_length=2000)]


class Queue(Filters):
    """Which findings are judged."""

    after: Annotated[str | None, Field(max_length=200)] = None
    """What was skipped up to."""
    again: Literal["", "yes"] = ""
    """One that was judged is judged anew."""

    @property
    def kept(self) -> Queue:
        """The filters alone, which stay while one goes on."""
        return self.model_copy(update={"after": None, "again": ""})


AskedQueue = Annotated[Queue, Query()]


@router.get("")
def queue(here: Here, asked: AskedQueue, reviewer: Reviewer = None) -> HTMLResponse:
    """What is to be judged next."""
    who = _name(reviewer)
    if who is None:
        return _introduce(here, asked)
    found = queries.following(here.store, who, asked.wanted, asked.after)
    if found is None:
        return here.show("verdicts_done.html", **_common(here, asked, who), skipped=asked.after)
    return _blind(here, asked, who, found.finding, found.mark)


@router.post("/reviewer")
def introduce(
    name: Annotated[str, Form(min_length=1, max_length=60)], back: Annotated[str, Form()] = ""
) -> Response:
    """Who judges from now on."""
    who = " ".join(name.split())
    if not who:
        raise HTTPException(422, "A reviewer needs a name.")
    reply = RedirectResponse(f"/verdicts?{back}" if back else "/verdicts", 303)
    reply.set_cookie(COOKIE, quote(who), max_age=YEAR, httponly=True, samesite="strict")
    return reply


@router.get("/reviewer")
def another(here: Here) -> HTMLResponse:
    """Somebody else judges."""
    return _introduce(here, Queue())


@router.get("/agreement")
def agreed(here: Here) -> HTMLResponse:
    """How far reviewers agree with each other, and with the agent."""
    by_finding: dict[str, dict[str, int]] = {}
    for one in queries.ratings(here.store):
        by_finding.setdefault(one.finding, {})[one.reviewer] = one.score
    names = queries.reviewers(here.store)
    return here.show(
        "agreement.html",
        agreement=agreement([*each.values()] for each in by_finding.values()),
        reviewers=names,
        pairs=pairs(by_finding.values(), [*names]),
        standings=queries.standings(here.store),
        disputed=queries.disputed(here.store, LATEST),
    )


@router.get("/{name}")
def one(here: Here, name: Name, asked: AskedQueue, reviewer: Reviewer = None) -> HTMLResponse:
    """A finding to be judged; what the agent says of it, to whoever has judged it."""
    who = _name(reviewer)
    if who is None:
        return _introduce(here, asked)
    found = _judgeable(here, name)
    given = here.store.verdicts(found.id)
    mine = [one for one in given if one.reviewer == who]
    if asked.again or not mine:
        return _blind(here, asked, who, found.id, None, mine[-1] if mine else None)
    latest = {one.reviewer: one for one in given}
    return here.show(
        "verdict.html",
        finding=found,
        mine=mine[-1],
        others=[one for name, one in latest.items() if name != who],
        superseded=len(mine) - 1,
        sections=compared(found, found)[:3],
        scores=SCORES,
        **_common(here, asked, who),
    )


@router.post("/{name}")
def judge(
    here: Here,
    name: Name,
    asked: AskedQueue,
    score: Annotated[int, Form(ge=1, le=5)],
    tags: Annotated[list[str] | None, Form()] = None,
    note: Note = "",
    reviewer: Reviewer = None,
) -> Response:
    """Keep a verdict, then show what the agent says."""
    who = _name(reviewer)
    if who is None:
        raise HTTPException(400, "Say who judges first: open /verdicts.")
    found = _judgeable(here, name)
    marked = tuple(tag for tag in TAGS.values() if tag in (tags or ()))
    with Store(here.store.runs) as store:
        store.judge(
            Verdict(finding=found.id, reviewer=who, score=score, tags=marked, note=note.strip())
        )
    return RedirectResponse(asked.kept.address(f"/verdicts/{found.id}"), 303)


def _blind(
    here: Site, asked: Queue, who: str, name: str, mark: str | None, mine: Verdict | None = None
) -> HTMLResponse:
    found = _judgeable(here, name)
    return here.show(
        "verdicts.html",
        finding=found,
        pictures=shown(here, found),
        looking=here.hands is not None,
        skip=asked.kept.address("/verdicts", after=mark),
        to=asked.kept.address(f"/verdicts/{found.id}"),
        scores=SCORES,
        tags=TAGS,
        mine=mine,
        **_common(here, asked, who),
    )


def _introduce(here: Site, asked: Queue) -> HTMLResponse:
    known = queries.reviewers(here.store)
    back = asked.kept.address("").removeprefix("?")
    return here.show("reviewer.html", known=known, back=back)


def _common(here: Site, asked: Queue, who: str) -> dict[str, Any]:
    judged = queries.latest(here.store, who, LATEST)
    return {
        "asked": asked,
        "reviewer": who,
        "progress": queries.progress(here.store, who, asked.wanted),
        "queue": asked.kept.address("/verdicts"),
        "judged": [(one, datetime.fromisoformat(one.at)) for one in judged],
    }


def _judgeable(here: Site, name: str) -> FeatureFinding:
    found = here.store.finding(name)
    if not isinstance(found, FeatureFinding) or found.label is None:
        raise HTTPException(404, f"The finding {found.id} has no label that could be judged.")
    return found


def _name(cookie: str | None) -> str | None:
    """Who judges; a cookie holds no letters but plain ones."""
    return (unquote(cookie).strip()[:60] or None) if cookie else None
