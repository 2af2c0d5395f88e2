"""The table of findings: filtered, sorted, searched by words and by meaning.

Knows what is asked and what is shown; how it is found is the queries'.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import HTMLResponse

from review.filters import NO_CATEGORY, AskedList, Listed
from review.queries import findings as queries
from review.queries import scores
from review.queries.findings import FindingLine
from review.site import Here, Site

NEAREST = 500
"""So many of the nearest labels are looked at, of which filters may leave few."""

router = APIRouter()


class Shown(NamedTuple):
    """A row of the table."""

    line: FindingLine
    scores: scores.Scores
    likeness: float | None = None
    """How near its label is to what was asked, where that was asked."""


class Rows(NamedTuple):
    """Some rows, and where to go on."""

    rows: tuple[Shown, ...]
    after: str | None
    unread: int = 0
    """How many labels may be as near, and were not looked at yet."""


class Column(NamedTuple):
    """A column of scores."""

    name: str
    title: str
    most: float
    """Where its scale ends."""
    whole: str
    """What it measures, in a line."""


ORDERED = ("sort", "way", "meaning", "after")
"""What is asked of a list, and not of a file."""
COLUMNS = (
    Column("iou", "IoU", 1, "how well what the label names and where the feature fires overlap"),
    Column("clip", "CLIP", 40, "how well CLIP says that the label fits the masked pictures"),
    Column("consistency", "Judge", 1, "how often the blind judge agrees"),
    Column("balanced_accuracy", "Foretells", 1, "balanced accuracy: firing foretold by the label"),
    Column("auroc", "AUROC", 1, "how far pictures that the label fits rank first by firing"),
)


@router.get("/findings")
def findings(
    here: Here, asked: AskedList, hx_request: Annotated[str | None, Header()] = None
) -> HTMLResponse:
    """What was found out."""
    found = _meant(here, asked) if asked.meaning and asked.q.strip() else _listed(here, asked)
    tallies = queries.tallies(here.store, asked.wanted)
    reply = here.show(
        "findings.html",
        asked=asked,
        rows=found.rows,
        unread=found.unread,
        older=asked.address("/findings", after=found.after) if found.after else None,
        tallies=tallies,
        tags=queries.tags(here.store),
        coders=queries.coders(here.store),
        columns=COLUMNS,
        no_category=NO_CATEGORY,
        by_meaning=here.hands is not None,
        downloads={
            form: asked.address(f"/exports/findings.{form}", **dict.fromkeys(ORDERED))
            for form in ("csv", "jsonl")
        },
    )
    if hx_request and asked.after is None:
        # The address that a form makes names every empty field.
        reply.headers["HX-Replace-Url"] = asked.address("/findings")
    return reply


def _listed(here: Site, asked: Listed) -> Rows:
    by, descending = asked.order
    page = queries.page(here.store, asked.wanted, sort=by, descending=descending, after=asked.after)
    known = scores.of_claims(here.store, [one.finding for one in page.rows])
    return Rows(tuple(Shown(one, known[one.finding]) for one in page.rows), page.after)


def _meant(here: Site, asked: Listed) -> Rows:
    if here.hands is None:
        raise HTTPException(404, "This server has no model that reads words. Search by words.")
    nearest = here.hands.nearest(asked.q, NEAREST)
    found = queries.meant(here.store, nearest.near, asked.wanted)
    known = scores.of_claims(here.store, [one.line.finding for one in found])
    rows = (Shown(one.line, known[one.line.finding], one.likeness) for one in found)
    return Rows(tuple(rows), None, nearest.unread)
