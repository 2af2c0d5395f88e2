"""Side by side: two findings, of two features or of one; or two runs.

Knows what is asked; what differs is told by `review.comparing` and by queries.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agent.findings import FeatureFinding, Finding
from review.comparing import compared
from review.queries import findings as lists
from review.queries import runs, versus
from review.site import Here, Site

MOST_OTHERS = 20
"""So many other findings about a feature are offered."""
Name = Annotated[str, Query(max_length=200)]

router = APIRouter(prefix="/compare")


@router.get("")
def findings(
    here: Here,
    left: Name = "",
    right: Name = "",
    of: Annotated[list[str] | None, Query(max_length=100)] = None,
) -> Response:
    """Two findings; `of` names them as the boxes of the table do."""
    if of:
        if len(of) != 2:
            raise HTTPException(400, f"Two findings can be compared, not {len(of)}. Choose two.")
        return RedirectResponse(f"/compare?{urlencode({'left': of[0], 'right': of[1]})}", 303)
    if not (left and right):
        raise HTTPException(400, "Choose two findings in the table, then compare them.")
    pair = here.store.finding(left), here.store.finding(right)
    return here.show(
        "compare.html",
        left=pair[0],
        right=pair[1],
        sections=compared(*pair),
        others=[_others(here, one) for one in pair],
    )


@router.get("/runs")
def two_runs(
    here: Here,
    left: Name = "",
    right: Name = "",
    kind: versus.Kind | None = None,
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> HTMLResponse:
    """Two runs, or the choice of them."""
    latest = runs.page(here.store, runs.Wanted(None, "")).rows
    if not (left and right):
        one, other = (_run(here, name) if name else None for name in (left, right))
        return here.show("compare_runs.html", latest=latest, left=one, right=other)
    pair = [_run(here, name) for name in (left, right)]
    ids = pair[0].id, pair[1].id
    shown = versus.side_by_side(here.store, *ids, kind=kind, after=after)
    page = shown.page
    kept = {"left": ids[0], "right": ids[1]}
    further = {**kept, **({"kind": kind} if kind else {}), "after": page.after}
    return here.show(
        "compare_runs.html",
        latest=latest,
        left=pair[0],
        right=pair[1],
        tallies=shown.tallies,
        pairs=page.rows,
        kind=kind,
        address=f"/compare/runs?{urlencode(kept)}",
        older=f"/compare/runs?{urlencode(further)}" if page.after else None,
    )


def _run(here: Site, name: str) -> runs.RunLine:
    line = runs.line(here.store, here.store.run(name).id)
    assert line is not None
    return line


def _others(here: Site, finding: Finding) -> list[lists.FindingLine]:
    """Other findings about the same feature, the latest first."""
    if not isinstance(finding, FeatureFinding):
        return []
    found = lists.about(here.store, finding.provenance.coder, finding.feature, MOST_OTHERS + 1)
    return [one for one in found if one.finding != finding.id][:MOST_OTHERS]
