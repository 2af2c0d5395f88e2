"""A run as one page: whole, harmless, and in need of nothing else."""

import re
from html.parser import HTMLParser

import pytest

from agent.store import Reader
from review.exports.run_page import page_pieces
from tests.agent.store.conftest import event_of
from tests.review.exports.conftest import SCRIPT

EMPTY = {"meta", "image", "use", "br", "hr"}


class Tags(HTMLParser):
    """Checks that tags are closed in order, and collects what they refer to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses, self.names = [], [], [], set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src"):
                self.addresses.append(value)
            assert not name.startswith("on"), f"{tag} has {name}"
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(store, run):
    return "".join(page_pieces(store, run))


def test_nothing_that_models_or_people_wrote_becomes_markup(page):
    tags = Tags(page)
    assert tags.open == []
    assert "script" not in tags.names
    assert SCRIPT not in page
    assert page.count("&lt;script&gt;") >= 8


def test_the_page_asks_for_nothing_outside_itself(page):
    tags = Tags(page)
    assert all(one.startswith(("#", "data:image/")) for one in tags.addresses)
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(" not in page


def test_every_link_leads_to_something_in_the_page(page):
    tags = Tags(page)
    assert len(tags.ids) == len(set(tags.ids))
    inside = {one.removeprefix("#") for one in tags.addresses if one.startswith("#")}
    assert inside <= set(tags.ids)
    answer = page[page.index('id="answer"') : page.index('id="findings"')]
    assert re.findall(r'href="#(finding|artefact)-', answer) == ["finding", "artefact"]


def test_a_citation_of_what_is_not_in_the_page_is_no_link(store, run):
    told = run.model_copy(update={"answer": f"see [{'a' * 12}] and finding {'b' * 16}"})
    page = "".join(page_pieces(store, told))
    answer = page[page.index('id="answer"') : page.index('id="findings"')]
    assert "a" * 12 in answer
    assert "href" not in answer


def test_a_picture_is_in_the_page_once_however_often_it_is_shown(page):
    assert page.count("<image ") == 1
    assert page.count("<use ") >= 3


def test_what_there_is_no_room_for_is_said_to_be_left_out(store, run):
    page = "".join(page_pieces(store, run, transcript=1))
    assert "3 more units are not in this file" in page
    assert "<article" not in page
    assert page.count("; at length in") == 3
    assert Tags(page).open == []


def test_a_picture_beyond_the_last_is_named(store, run):
    page = "".join(page_pieces(store, run, shown=0))
    assert re.search(r"[0-9a-f]{12} is not in this file", page)
    assert "<image " not in page


def test_a_picture_that_is_gone_or_huge_breaks_nothing(store, run, monkeypatch):
    from review.exports import pictures

    monkeypatch.setattr(pictures, "PLAIN", 1)
    monkeypatch.setattr(pictures, "PIXELS", 1)
    assert "<image " not in "".join(page_pieces(store, run))
    for path in store.artefacts.folder.glob("*/*"):
        path.unlink()
    assert Tags("".join(page_pieces(store, run))).open == []


def test_short_documents_that_findings_rest_on_are_in_the_page(page):
    assert "layers.24" in page
    assert "&#34;sightings&#34;" in page


def test_a_run_without_anything_is_a_page_too(store):
    store.ended("r1", "failed", "no room")
    store.begin("r2", "and?", store.run("r1").provenance, pid=1)
    assert "The run came to none." in "".join(page_pieces(store, store.run("r2")))
    assert "Why it stopped" in "".join(page_pieces(store, store.run("r1")))


def test_units_are_in_the_order_of_their_numbers(store):
    store.hear(event_of(unit="0/10", step=1))
    with Reader(store.runs) as reader:
        page = "".join(page_pieces(reader, reader.run("r1")))
    assert re.findall(r'id="unit-([^"]+)"', page) == ["run", "0", "0/9", "0/10", "0/118"]


def test_large_pictures_are_small_in_the_page(store, run):
    from PIL import Image

    name = store.artefacts.put_picture(Image.effect_noise((900, 500), 90))
    store.hear(event_of("large", place=7, artefacts=(name,)))
    before = len("".join(page_pieces(store, run, shown=1)))
    assert len("".join(page_pieces(store, run))) - before < 60_000
