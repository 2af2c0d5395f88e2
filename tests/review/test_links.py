"""Ways from one page to the next: what one sees can be tried, doubted and compared."""

import html

import pytest

from review.bench import Model
from tests.agent.store.conftest import finding_of
from tests.review.test_features import evidence_of, put, sighting
from tests.review.test_playground import Bench


@pytest.fixture
def hands():
    return Bench()


@pytest.fixture
def known(store, done):
    """A finding about feature 4 with evidence."""
    shown = (sighting(7, "top_by_mean"), sighting(9, "near"))
    evidence = put(store, {**evidence_of("explore", *shown), "feature": 4})
    made = finding_of(4, "sad face", run=done)
    return store.put(made.model_copy(update={"evidence": evidence}))


def leading(client, path, links, to):
    """The addresses on a page that lead to something at some place, not to the place alone."""
    found = [html.unescape(one) for one in links(client.get(path).text)]
    return [one for one in found if one.split("?")[0] == to and one != to]


def test_a_feature_is_steered_with_its_strongest_picture(acting, known, links):
    (address,) = leading(acting, f"/findings/{known}", links, "/steer")
    page = acting.get(address).text
    assert 'name="feature" value="4"' in page
    assert 'src="/steer/splits/explore/7.png"' in page
    (address,) = leading(acting, f"/findings/{known}", links, "/attribution")
    assert 'src="/steer/splits/explore/7.png"' in acting.get(address).text


def test_who_only_reads_is_not_led_to_a_model(client, known, links):
    assert leading(client, f"/findings/{known}", links, "/steer") == []


def test_a_number_that_is_another_feature_here_is_told(acting, hands, known, links):
    (address,) = leading(acting, f"/findings/{known}", links, "/steer")
    assert "is another feature" not in acting.get(address).text
    hands.state = Model("ready", "m", "some other coder")
    assert "is another feature" in acting.get(address).text
    hands.state = Model("loading", "", None)
    assert "is another feature" not in acting.get(address).text


def test_a_feature_that_nobody_looked_into_can_be_asked_about(acting, client, known):
    assert known
    reply = acting.get("/features/coder/77")
    assert reply.status_code == 404
    assert 'name="question" value="what does feature 77 respond to?"' in reply.text
    only_read = client.get("/features/coder/77").text
    assert "lmmscope ask" in only_read
    assert "<form" not in only_read.partition("<main")[2].partition("</main>")[0]


@pytest.fixture
def later(store, killed, known):
    """What another run found out about the same feature."""
    assert known
    made = finding_of(4, "angry face", run=killed)
    return store.put(made.model_copy(update={"at": made.at.replace(year=2027)}))


@pytest.mark.usefixtures("later")
def test_a_run_leads_to_all_of_its_findings_and_to_another_run(acting, done, known, links):
    (address,) = leading(acting, f"/runs/{done}", links, "/findings")
    assert f"/findings/{known}" in acting.get(address).text  # though a later one stands
    (address,) = leading(acting, f"/runs/{done}", links, "/compare/runs")
    assert f'name="left" value="{done}"' in acting.get(address).text


def test_an_earlier_finding_is_put_beside_the_one_that_stands(acting, known, later, links):
    (address,) = leading(acting, f"/findings/{later}", links, "/compare")
    assert known in address
    assert acting.get(address).status_code == 200


@pytest.mark.parametrize("about", ["steering trial", "attribution"])
def test_a_record_leads_to_the_page_that_shows_it(client, store, about, links):
    record = put(store, {"about": about})
    assert client.get(f"/evidence/{put(store, {'about': [about]})}").status_code == 200
    place = {"steering trial": "/steer", "attribution": "/attribution"}[about]
    assert f"{place}/{record}" in links(client.get(f"/evidence/{record}").text)


def test_who_comes_first_is_led_to_a_first_run(acting):
    page = acting.get("/runs").text
    assert '<button name="question" value="what does feature 12 respond to?"' in page
    assert "Search" not in page  # there is nothing to be found
    page = acting.get("/findings").text
    assert '<a href="/runs">Begin a run</a>' in page
    assert '<form id="tray" class="tray" action="/compare" aria-label="Compare" hidden>' in page
