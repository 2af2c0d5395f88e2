"""Side by side: two findings, two runs."""

import os

import pytest

from review.comparing import compared
from tests.agent.store.conftest import PROVENANCE, behaviour_of, finding_of
from tests.review.conftest import ATTACK


def rows_of(left, right):
    return {row.name: row for section in compared(left, right) for row in section.rows}


@pytest.fixture
def two(store):
    """Two runs with a finding each about feature 1, and one about a behaviour."""
    for run in ("r1", "r2"):
        store.begin(run, f"{run}?", PROVENANCE, pid=os.getpid())
    store.put(finding_of(1, "red umbrella", run="r1"))
    store.put(finding_of(1, f"cat {ATTACK}", "refuted", run="r2"))
    store.put(behaviour_of(run="r2"))
    return store


@pytest.fixture
def ids(two):
    return [row["finding"] for row in two.rows("SELECT finding FROM overview ORDER BY number")]


def test_what_differs_is_marked_and_nothing_else():
    rows = rows_of(finding_of(1, "cat"), finding_of(1, "dog"))
    assert rows["label"].differs
    assert not rows["status"].differs
    assert not rows["IoU"].differs
    assert rows["IoU"].left.nulls[0] == ("moved_masks", 0.1)


def test_what_only_one_has_is_nothing_on_the_other_side():
    rows = rows_of(finding_of(1, "cat"), finding_of(1, None, "too rare"))
    assert (rows["label"].left, rows["label"].right) == ("cat", None)
    assert rows["IoU"].right is None
    assert "category" not in rows  # neither has one


def test_a_feature_can_stand_beside_a_behaviour():
    rows = rows_of(finding_of(1, "cat"), behaviour_of())
    assert rows["behaviour"].left is None
    assert rows["reproduced"].right.value == 0.7


def test_a_page_shows_both_as_text(client, ids):
    reply = client.get(f"/compare?left={ids[0]}&right={ids[1]}")
    assert reply.status_code == 200
    assert ATTACK not in reply.text
    assert "red umbrella" in reply.text
    assert 'class="differs"' in reply.text
    assert "1 other finding about it" in reply.text
    assert client.get(f"/compare?left={ids[0]}&right={ids[2]}").status_code == 200


def test_boxes_of_the_table_lead_to_the_page_without_a_script(client, ids):
    reply = client.get(f"/compare?of={ids[0]}&of={ids[1]}")
    assert reply.headers["location"] == f"/compare?left={ids[0]}&right={ids[1]}"


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("asked", ["", "?left=12", "?of=1", "?of=1&of=2&of=3", "?left=zz&right=zz"])
def test_a_choice_that_is_none_is_told(client, asked):
    assert client.get(f"/compare{asked}").status_code == 400


@pytest.mark.usefixtures("two")
def test_two_runs_stand_side_by_side(client):
    page = client.get("/compare/runs?left=r1&right=r2").text
    assert "another status (1)" in page
    assert "only right (1)" in page
    assert ATTACK not in page
    only = client.get("/compare/runs?left=r1&right=r2&kind=same").text
    assert "There is nothing of that" in only


@pytest.mark.usefixtures("two")
def test_runs_are_chosen_from_the_latest(client):
    page = client.get("/compare/runs").text
    assert '<option value="r1">' in page
    assert client.get("/compare/runs?left=r1&right=none").status_code == 400
