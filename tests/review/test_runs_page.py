"""The list of runs."""

import os
from urllib.parse import quote

import pytest

from tests.agent.store.conftest import PROVENANCE
from tests.review.conftest import ATTACK


def test_the_first_page_is_the_list(client):
    assert client.get("/").headers["location"] == "/runs"


def test_without_runs_it_says_how_to_begin(client):
    page = client.get("/runs").text
    assert "There are no runs yet" in page
    assert "lmmscope ask" in page


def test_each_run_stands_with_its_status_findings_and_cost(client, done, killed, running):
    page = client.get("/runs").text
    assert page.index(running) < page.index(killed) < page.index(done)
    for status in ("done", "interrupted", "running"):
        assert f'data-status="{status}"' in page
    assert "3 calls · 12 k tokens" in page
    assert 'href="/runs/0301-done"' in page


@pytest.mark.usefixtures("done")
def test_a_question_is_text_whatever_it_says(client):
    page = client.get("/runs").text
    assert ATTACK not in page
    assert "&lt;script&gt;alert(1)" in page


def test_only_what_runs_is_asked_for_again(client, done, running):
    page = client.get("/runs").text
    assert page.count('hx-trigger="every') == 1
    assert f'hx-get="/runs/{running}/line"' in page
    line = client.get(f"/runs/{running}/line").text
    assert line.lstrip().startswith("<tr")
    assert "every" not in client.get(f"/runs/{done}/line").text


def test_runs_are_filtered_by_status_and_words(client, done, killed, running):
    assert running in client.get("/runs?status=running").text
    assert killed not in client.get("/runs?status=running").text
    found = client.get("/runs", params={"q": "119"}).text
    assert killed in found
    assert done not in found
    assert "No run fits" in client.get("/runs", params={"q": "100%_'\""}).text


def test_what_was_searched_for_is_shown_as_text(client):
    page = client.get("/runs", params={"q": f'">{ATTACK}'}).text
    assert ATTACK not in page
    assert "No run fits" in page


def test_earlier_runs_follow_page_by_page(client, store, links):
    for number in range(60):
        store.begin(f"{number:03}", f"question {number}", PROVENANCE, pid=os.getpid())
        store.ended(f"{number:03}", "done", "")
    first = client.get("/runs?q=question").text
    (further,) = {one for one in links(first) if "after=" in one}
    second = client.get(further.replace("&amp;", "&")).text
    assert ">question 10<" in first
    assert ">question 9<" in second
    assert "Earlier runs" not in second


@pytest.mark.parametrize("after", ["", "x", "[1]", '["a","b","c"]', "[null,{}]"])
def test_a_page_that_was_made_up_is_not_found(client, after):
    assert client.get(f"/runs?after={quote(after)}").status_code == 404


@pytest.mark.parametrize("path", ["/runs?status=odd", "/runs/nothing/line", "/nowhere"])
def test_what_is_not_there_is_not_found_with_a_way_back(client, path):
    reply = client.get(path)
    assert reply.status_code == 404
    assert 'href="/runs"' in reply.text


def test_one_can_search_only_for_so_much(client):
    assert client.get("/runs", params={"q": "x" * 201}).status_code == 422
