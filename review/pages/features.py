"""A finding as a page: of a feature, with all that it rests on, or of a behaviour.

Knows addresses and what a page is made of; how it is worked out is in `review.gallery`,
`review.features` and `review.behaviours`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agent.events import Event
from agent.findings import BehaviourFinding, FeatureFinding
from review import behaviours, charts, features
from review.gallery import Gallery, gallery, refused
from review.hands import Eyes, IndexRecord, Neighbour, Refused
from review.pictures import Unreadable, decoded, written
from review.queries import features as queries
from review.site import Here, Site

router = APIRouter()
Name = Annotated[str, Path(pattern=r"^[0-9a-f]{4,16}$")]
Size = Annotated[Literal["96", "192", "384"] | None, Query()]


@router.get("/findings/{name}")
def finding(here: Here, name: Name) -> Response:
    """A finding, whatever was found later."""
    found = here.store.finding(name)
    if found.id != name:
        return RedirectResponse(f"/findings/{found.id}", 303)
    if isinstance(found, FeatureFinding):
        return _feature(here, found)
    return _behaviour(here, found)


@router.get("/findings/{name}/activations")
def activations(here: Here, name: Name) -> HTMLResponse:
    """What the index knows: it is asked after the page, since reading the first one takes long."""
    found = _known(here, name)
    record = _record(here.hands, found.id)
    unit = queries.unit_of(here.store, found)
    events = queries.told(here.store, found.run, unit) if unit else ()
    pictures = gallery(here.store, found, there=False)
    drawn = _activations(here, found, record, pictures, events)
    return here.show("activations.html", finding=found, **drawn)


@router.get("/findings/{name}/pictures")
def pictures(here: Here, name: Name) -> HTMLResponse:
    """Why there are no pictures, as a line; nothing where there are."""
    found = _known(here, name)
    shown = gallery(here.store, found, there=False)
    why = refused(here.hands, shown, found.id) if here.hands and shown else ""
    return here.show("note.html", why=why)


@router.get("/features/{coder}/{feature}")
def feature(
    here: Here, coder: Annotated[str, Path(max_length=200)], feature: Annotated[int, Path(ge=0)]
) -> HTMLResponse:
    """What is known of a feature; a coder's digest may be given by its beginning."""
    whole = queries.coder(here.store, coder)
    found = here.store.latest(feature, whole)
    if found is None:
        question = f"what does feature {feature} respond to?"
        return here.show(
            "unknown_feature.html",
            404,
            feature=feature,
            coder=whole,
            question=question,
            acting=here.hands is not None,
        )
    return _feature(here, found)


@router.api_route("/shown/{name}/{split}/{number}.png", methods=["GET", "HEAD"])
def shown(
    request: Request,
    here: Here,
    name: Name,
    split: Literal["explore", "validate", "test"],
    number: Annotated[int, Path(ge=0)],
    size: Size = None,
) -> Response:
    """A picture that a finding rests on; sealed ones too, if its verification opened them."""
    if here.hands is None:
        raise HTTPException(404, "This server was started without the pictures of splits.")
    try:
        picture = decoded(here.hands.picture(split, number, name))
    except Unreadable as error:
        raise HTTPException(415, f"Picture {number} of {split} can't be shown: {error}.") from None
    content = written(picture, int(size) if size else None)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    # Another profile may have another picture of this number, so it is asked for again.
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60"}
    if tag == request.headers.get("if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/png", headers=headers)


@router.get("/exports/recipes/{name}.json")
def recipe(here: Here, name: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> Response:
    """A recipe as the file that `lmmscope steer --recipe` reads."""
    if name not in here.store.artefacts:
        raise HTTPException(404, f"There is no recipe {name[:12]}.")
    try:
        document = json.loads(here.store.artefacts.get(name))
    except ValueError:
        document = None
    if not isinstance(document, dict) or "interventions" not in document:
        raise HTTPException(404, f"{name[:12]} is no recipe.")
    told = {"Content-Disposition": f'attachment; filename="recipe-{name[:12]}.json"'}
    return Response(
        json.dumps(document, indent=2), media_type="application/octet-stream", headers=told
    )


def _known(here: Site, name: str) -> FeatureFinding:
    found = here.store.finding(name)
    if not isinstance(found, FeatureFinding):
        raise HTTPException(404, f"Finding {name} is about no single feature.")
    return found


def _feature(here: Site, found: FeatureFinding) -> HTMLResponse:
    store, coder = here.store, found.provenance.coder
    unit = queries.unit_of(store, found)
    events = queries.told(store, found.run, unit) if unit else ()
    verified, threshold = found.verification, None
    if verified:
        threshold = queries.threshold(events, verified.evidence, verified.claim)
    pictures = gallery(store, found, there=here.hands is not None, threshold=threshold)
    earlier = features.history(queries.all_about(store, coder, found.feature), found.id)
    return here.show(
        "feature.html",
        finding=found,
        gallery=pictures,
        looking=here.hands is not None,
        threshold=threshold,
        history=earlier,
        ledger=features.ledger(found),
        checks=features.checks(verified) if verified else (),
        scores=features.scores(verified.scores) if verified else (),
        one_shot=features.scores(verified.one_shot_scores) if verified else (),
        better=features.better(verified.better) if verified and verified.better else None,
        batches=store.discoveries(found.id),
        swings=features.swings(found.steering) if found.steering else (),
        replies=features.replies(found.steering) if found.steering else (),
        seen=queries.shown(store, found.run, unit) if unit else (),
        at=_address(found.run, events),
        **_activations(here, found, None, pictures, events),
        **_common(here, found),
    )


def _activations(
    here: Site,
    found: FeatureFinding,
    record: IndexRecord | None,
    pictures: Gallery | None,
    events: Iterable[Event],
) -> dict[str, Any]:
    """From the index, or as far as evidence and events tell."""
    told = queries.neighbours(events)
    near = (
        record.neighbours
        if record
        else tuple(Neighbour(one["feature"], one["share"]) for one in told)
    )
    named = queries.named(here.store, found.provenance.coder, [one.feature for one in near])
    return {
        "histogram": _histogram(record, pictures, found),
        "indexed": record is not None,
        "neighbours": [(one, named[one.feature]) for one in near],
    }


def _behaviour(here: Site, found: BehaviourFinding) -> HTMLResponse:
    unit = queries.unit_of(here.store, found)
    events = queries.told(here.store, found.run, unit) if unit else ()
    return here.show(
        "behaviour.html",
        finding=found,
        view=behaviours.view(found),
        at=_address(found.run, events),
        **_common(here, found),
    )


def _common(here: Site, found: FeatureFinding | BehaviourFinding) -> dict[str, Any]:
    return {
        "beside": queries.beside(here.store, found),
        "verdicts": here.store.verdicts(found.id),
    }


def _record(eyes: Eyes | None, finding: str) -> IndexRecord | None:
    try:
        return eyes.record(finding) if eyes else None
    except Refused:
        return None


def _histogram(
    record: IndexRecord | None, pictures: Gallery | None, found: FeatureFinding
) -> charts.Histogram | None:
    """Of all pictures, if the index is here; else of those in the evidence."""
    level = found.firing.level if found.firing else 0.0
    if record:
        return charts.histogram(record.bars, level)
    if pictures is None or pictures.explore is None:
        return None
    lit = (value for one in pictures.explore.sightings for row in one.cells for value in row)
    return charts.histogram(charts.bars_of(lit), level)


def _address(run: str, events: Iterable[Event]) -> str:
    """Where in the transcript the finding is told."""
    for one in events:
        if one.kind == "finding":
            return f"/runs/{run}#{one.unit}.{one.step}.{one.place}"
    return f"/runs/{run}"
