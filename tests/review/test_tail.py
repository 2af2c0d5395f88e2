"""Watching a run: what comes in is told once, in order, and the end is told too."""

import json

import pytest

from review.queries.events import tail
from review.queries.paging import mark
from tests.agent.store.conftest import event_of


def messages(reply):
    """The server-sent events of a reply, as (kind, id, data)."""
    found = []
    for block in reply.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


@pytest.fixture
def watched(client, store, running):
    """Asks for the tail of a run that has ended meanwhile, so that the reply ends."""

    def watch(after=None, **headers):
        store.ended(running, "done", "that was it")
        return client.get(
            f"/runs/{running}/tail", params={"after": after} if after else {}, headers=headers
        )

    return watch


def test_what_happened_is_told_with_its_unit_and_step_and_then_the_end(watched):
    reply = watched()
    assert reply.headers["content-type"].startswith("text/event-stream")
    (kind, _, news), (last, _, over) = messages(reply)
    assert (kind, last) == ("news", "over")
    (unit,) = news["units"]
    assert unit["unit"] == "0/120"
    assert 'data-unit="0/120"' in unit["html"]
    assert 'id="0/120.1.0"' in unit["steps"][0]
    assert news["latest"] == "0/120: gathered"
    assert over["status"] == "done"


def test_only_what_is_new_is_told(watched, store, running):
    before = tail(store, running).mark
    store.hear(event_of("tested <b>", run=running, unit="0/120", step=2, place=1))
    (_, _, news), _ = messages(watched(before))
    (step,) = news["units"][0]["steps"]
    assert 'data-step="0/120.2"' in step
    assert "tested &lt;b&gt;" in step


def test_a_reader_that_was_cut_off_goes_on_where_it_was(watched):
    told = messages(watched())
    again = messages(watched(mark("", 0), **{"last-event-id": told[0][1]}))
    assert [kind for kind, *_ in again] == ["over"]


def test_a_step_that_is_done_again_is_told_again(watched, store, running):
    before = tail(store, running).mark
    store.begin_step(running, "0/120", 1)
    store.hear(event_of("gathered anew", run=running, unit="0/120", step=1, place=3))
    (_, _, news), _ = messages(watched(before))
    assert "gathered anew" in news["units"][0]["steps"][0]
    assert "gathered<" not in news["units"][0]["steps"][0]


@pytest.mark.parametrize("after", ["x", "[1,2]", '["a"]'])
def test_a_mark_that_was_made_up_is_refused(client, running, after):
    assert client.get(f"/runs/{running}/tail", params={"after": after}).status_code == 404
