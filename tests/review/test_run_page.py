"""The transcript of a run: nested, linked to its evidence, and harmless whatever was said in it."""

import os

import pytest

from review.pages import run as page
from tests.agent.store.conftest import PROVENANCE, event_of
from tests.review.conftest import ATTACK

SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"


def test_a_run_is_told_from_its_question_to_its_steps(client, done):
    text = client.get(f"/runs/{done}").text
    order = [
        text.index(one) for one in ('data-status="done"', "Answer", "The request", "Feature 118")
    ]
    assert order == sorted(order)
    assert 'id="0/118.2.0"' in text
    assert "3 calls · 12 k tokens" in text
    assert "1 failure" in text


def test_each_claim_of_the_answer_leads_to_its_evidence(client, done, links):
    cited = [
        one
        for one in links(client.get(f"/runs/{done}").text)
        if "evidence" in one or "finding" in one
    ]
    finding = next(one for one in cited if one.startswith("/findings/"))
    assert f'href="/runs/{done}' in client.get(finding).text
    short = next(one for one in cited if len(one) == len("/evidence/") + 12)
    whole = client.get(short).headers["location"]
    document = client.get(whole)
    assert document.status_code == 200
    assert "/pictures/" in document.text
    assert ATTACK not in document.text


def test_pictures_stand_where_they_were_looked_at(client, done, picture):
    text = client.get(f"/runs/{done}").text
    event = text[text.index('id="0/118.2.0"') : text.index('id="0/118.2.1"')]
    assert f"/pictures/{picture}.png?size=96" in event


@pytest.mark.parametrize(
    "path",
    ["", "/units", "/unit?unit=0/118", "/steps?unit=0/118", "/event?unit=0/118&step=2&place=0",
     "/calls?unit=0/118&step=2", "/calls/1", "/search?q=covered", "/line"],
)  # fmt: skip
def test_what_models_and_people_wrote_is_text(client, done, path):
    reply = client.get(f"/runs/{done}{path}")
    assert reply.status_code == 200
    assert ATTACK not in reply.text
    assert "<script>" not in reply.text


def test_pages_hold_no_script_or_style_of_their_own(client, done):
    for path in ("/runs", f"/runs/{done}", f"/runs/{done}/steps?unit=0/118"):
        text = client.get(path).text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<script>" not in text
        assert "//cdn" not in text


def test_what_a_tool_was_given_and_gave_back_is_opened_on_demand(client, done):
    whole = client.get(f"/runs/{done}").text
    opened = client.get(f"/runs/{done}/event?unit=0/118&step=2&place=0").text
    assert "0.04321" not in whole
    assert "0.04321" in opened
    assert SAFE in opened


def test_what_a_model_was_sent_and_answered_is_word_for_word(client, done, picture):
    calls = client.get(f"/runs/{done}/calls?unit=0/118&step=2").text
    assert "/calls/1" in calls
    call = client.get(f"/runs/{done}/calls/1").text
    assert f'<pre class="verbatim">{SAFE}</pre>' in call
    assert f"a cat {SAFE}" in call
    assert call.index(picture) < call.index(SAFE)


def test_searching_in_a_run_leads_to_the_events(client, done):
    found = client.get(f"/runs/{done}/search?q=covered").text
    assert f'href="/runs/{done}#0/118.2.0"' in found
    assert "1 event with" in found
    assert "0 events with" in client.get(f"/runs/{done}/search?q=zebra").text
    assert client.get(f"/runs/{done}/search?q=+").text.strip() == ""


def test_a_large_run_is_sent_in_parts(client, store, monkeypatch):
    monkeypatch.setattr(page, "AT_ONCE", 150)
    store.begin("big", "label features 0 to 159", PROVENANCE, pid=os.getpid())
    for number in range(160):
        store.hear(event_of(f"event {number}.", run="big", unit=f"0/{number}", place=number))
    first = client.get("/runs/big").text
    assert first.count('class="unit"') == 100
    assert "event 7." not in first
    assert "event 7." in client.get("/runs/big/steps?unit=0/7").text
    assert 'data-unit="0/159"' not in first
    assert "event 159." in client.get("/runs/big/unit?unit=0/159").text
    further = first.split('hx-get="/runs/big/units?')[1].split('"')[0].replace("&amp;", "&")
    second = client.get(f"/runs/big/units?{further}").text
    assert second.count('class="unit"') == 60
    assert "Further units" not in second


def test_a_killed_run_says_how_to_go_on(client, killed):
    text = client.get(f"/runs/{killed}").text
    assert 'data-status="interrupted"' in text
    assert f"lmmscope runs resume {killed}" in text
    assert "data-tail" not in text
    assert "Nothing happened yet" in text


def test_a_running_run_is_watched_from_where_the_page_ends(client, running):
    text = client.get(f"/runs/{running}").text
    assert f'data-tail="/runs/{running}/tail?after=' in text
    assert "live.js" in text


def test_odd_names_of_units_come_back_as_they_are(client, store):
    store.begin("odd", "?", PROVENANCE, pid=os.getpid())
    unit = '0/"><i>&?#%20'
    store.hear(event_of("here", run="odd", unit=unit))
    text = client.get("/runs/odd").text
    assert "<i>" not in text
    assert "here" in client.get("/runs/odd/steps", params={"unit": unit}).text


@pytest.mark.parametrize(
    "path",
    ["/runs/no", "/runs/no/units", "/runs/no/unit?unit=0", "/runs/no/steps?unit=0", "/runs/no/tail",
     "/runs/no/calls/1", "/runs/no/event?unit=0&step=0&place=0", "/evidence/abcdef123456",
     "/runs/%3Cscript%3E", "/evidence/..%2f..%2ffindings.db"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client, path):
    reply = client.get(path)
    assert reply.status_code in (404, 422)
    assert "<script>" not in reply.text


def test_an_artefact_that_is_neither_picture_nor_document_is_said_to_be(client, store):
    name = store.artefacts.put(b"\x00\xff binary")
    assert client.get(f"/evidence/{name}").status_code == 415


def test_a_fault_of_the_store_is_told_in_its_own_words(client):
    reply = client.get("/findings/abcd")
    assert reply.status_code == 400
    assert "There is no finding &#39;abcd&#39;" in reply.text
