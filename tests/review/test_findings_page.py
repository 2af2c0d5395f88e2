"""The table of findings as a page: its filters are its address, and what it shows is escaped."""

import os
from html import unescape
from typing import get_args
from urllib.parse import quote

import pytest

from agent.store import Verdict
from agent.store.vectors import Near
from review.app import create_app
from review.filters import Listed, Sort
from review.hands import Nearest
from review.queries.findings import SORTS
from tests.agent.store.conftest import PROVENANCE, behaviour_of, finding_of
from tests.review.conftest import ATTACK, TOKEN


@pytest.fixture
def several(store):
    """Findings of a few kinds, by a run that is over."""
    store.begin("r1", "label 1 to 5", PROVENANCE, pid=os.getpid())
    for finding in (
        finding_of(1, "red umbrella", category="object", tags=("too broad",)),
        finding_of(2, f"boat {ATTACK}", category=ATTACK),
        finding_of(3, "sad face", "refuted", tags=("wrong", "too narrow")),
        finding_of(4, None, "too rare", summary="feature 4 fires hardly ever"),
        behaviour_of(),
    ):
        store.put(finding)
    store.ended("r1", "done", "done")
    return store


def rows(page):
    """How many findings a page lists."""
    return page.text.count("data-choose=")


def test_an_empty_table_says_how_to_begin(client):
    page = client.get("/findings").text
    assert "Nothing was found out yet" in page
    assert "lmmscope ask" in page


@pytest.mark.usefixtures("several")
def test_each_finding_stands_with_its_scores_beside_their_nulls(client):
    page = client.get("/findings")
    assert rows(page) == 5
    assert 'data-status="too rare"' in page.text
    assert "IoU 0.60 (0.50 to 0.70, n 20), moved masks 0.10, shuffled labels 0.10" in page.text
    assert "feature 4 fires hardly ever" in page.text


@pytest.mark.usefixtures("several")
def test_labels_and_categories_are_text_whatever_they_say(client):
    for path in ("/findings", f"/findings?category={quote(ATTACK)}&q={quote(ATTACK)}"):
        page = client.get(path).text
        assert ATTACK not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("asked", "left"),
    [("status=refuted", 1), ("category=object", 1), ("category=(none)", 3), ("kind=behaviour", 1),
     ("tag=wrong", 1), ("tag=too%20broad", 1), ("tag=dead", 0), ("run=r1", 5), ("run=r2", 0),
     ("iou_from=0.5&iou_to=0.7", 2), ("iou_from=0.61", 0), ("q=umbrellas", 2), ("judged=yes", 1),
     ("judged=no", 4), ("status=refuted&tag=wrong&q=face&judged=no", 1),
     ("status=&category=&q=&iou_from=&iou_to=&sort=&judged=", 5)],
)  # fmt: skip
def test_filters_leave_what_fits(client, several, asked, left):
    boat = several.rows("SELECT finding FROM overview WHERE feature = 2")[0]["finding"]
    several.judge(Verdict(finding=boat, reviewer="ann", score=4))
    assert rows(client.get(f"/findings?{asked}")) == left


@pytest.mark.parametrize(
    "asked", ["sort=odd", "iou_from=x", "iou_from=nan", "judged=2", "q=" + "x" * 201, "way=left"]
)
def test_what_makes_no_sense_is_told(client, asked):
    assert client.get(f"/findings?{asked}").status_code == 422


@pytest.mark.usefixtures("several")
def test_a_form_is_given_the_tidy_address_of_what_it_asked_for(client):
    asked = "q=boat&status=&iou_from=&iou_to=0.9&judged=&sort="
    reply = client.get(f"/findings?{asked}", headers={"hx-request": "true"})
    assert reply.headers["hx-replace-url"] == "/findings?q=boat&iou_to=0.9"
    assert "hx-replace-url" not in client.get(f"/findings?{asked}").headers


def test_further_pages_keep_filters_and_order(client, several):
    for feature in range(100, 160):
        several.put(finding_of(feature, f"kite {feature}", category="toy"))
    first = client.get("/findings?category=toy&sort=feature").text
    further = first.split('class="button" href="')[1].split('"')[0]
    second = client.get(unescape(further)).text
    assert (first.count(">kite 1"), second.count(">kite 1")) == (50, 10)
    assert ">kite 100<" in first
    assert ">kite 159<" in second


@pytest.mark.usefixtures("several")
def test_a_column_sorts_the_useful_way_first_and_then_the_other(client):
    assert Listed().sorted_by("iou") == "/findings?sort=iou&way=down"
    assert Listed(sort="iou").sorted_by("iou") == "/findings?sort=iou&way=up"
    assert Listed(q="x").sorted_by("label") == "/findings?q=x&sort=label&way=up"
    page = client.get("/findings?sort=feature&way=down").text
    assert page.index("boat") < page.index("red umbrella")
    assert 'aria-sort="descending"' in page


def test_the_page_offers_every_order_that_there_is():
    assert set(get_args(Sort)) == set(SORTS)


@pytest.mark.usefixtures("several")
def test_without_a_model_meaning_is_not_offered(client):
    assert 'name="meaning"' not in client.get("/findings").text
    assert client.get("/findings?q=x&meaning=yes").status_code == 404


class Reads:
    """Knows of two labels which is nearer to anything."""

    def nearest(self, words, count):
        assert (words, count > 10) == ("parasol", True)
        return Nearest((Near("red umbrella", 0.9), Near("sad face", 0.2)), 7)


@pytest.mark.usefixtures("several")
def test_meaning_finds_the_nearest_first_and_says_what_was_not_read_yet(client):
    client.app = create_app(client.app.state.site.store, TOKEN, Reads())
    client._transport.app = client.app
    page = client.get("/findings?q=parasol&meaning=yes").text
    assert page.index("red umbrella") < page.index("sad face")
    assert "0.90 alike" in page
    assert "7 further labels are being read" in page
    assert page.count("data-choose=") == 2
