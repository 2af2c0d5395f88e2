"""Verdicts: blind until they are given, beside the finding, of whoever gave their name."""

import os

import pytest

from agent.findings import FeatureFinding
from agent.store import Verdict
from review.blind import chosen
from review.gallery import Gallery, Row, Shot, Tab
from tests.agent.store.conftest import PROVENANCE, behaviour_of, finding_of
from tests.review.conftest import ATTACK, TOKEN

SAME = {"sec-fetch-site": "same-origin"}
TELLS = ("supported", "IoU", "AUROC", "too broad</span>", "responds to umbrella")
"""What only the agent says."""


@pytest.fixture
def finding(store) -> FeatureFinding:
    store.begin("r1", "label 1", PROVENANCE, pid=os.getpid())
    made = finding_of(1, f"umbrella {ATTACK}", tags=("too broad",))
    store.put(made)
    store.put(behaviour_of())
    return made


@pytest.fixture
def ann(client):
    """A browser in which ann judges."""
    client.get(f"/?token={TOKEN}")
    reply = client.post("/verdicts/reviewer", data={"name": " Ann  Bö; "}, headers=SAME)
    assert reply.headers["location"] == "/verdicts"
    return client


def judge(browser, finding, **data):
    return browser.post(f"/verdicts/{finding.id}", data={"score": 4, **data}, headers=SAME)


@pytest.mark.usefixtures("finding")
def test_whoever_judges_says_a_name_first(client):
    page = client.get("/verdicts?status=refuted").text
    assert "Who judges?" in page
    assert 'value="status=refuted"' in page
    assert "umbrella" not in page


@pytest.mark.usefixtures("finding")
def test_the_label_comes_first_and_nothing_that_the_agent_says(ann):
    page = ann.get("/verdicts")
    assert "umbrella &lt;script&gt;" in page.text
    assert ATTACK not in page.text
    assert "Ann Bö;: 0 of 1 label judged" in page.text
    for one in TELLS:
        assert one not in page.text
    assert "evidence of this finding is not here any more" in page.text


def test_a_finding_is_blind_at_its_own_address_too_until_it_is_judged(ann, finding):
    assert "IoU" not in ann.get(f"/verdicts/{finding.id}").text
    reply = judge(ann, finding, tags=["wrong", "made up"], note=f" {ATTACK} ")
    assert reply.headers["location"] == f"/verdicts/{finding.id}"
    page = ann.get(reply.headers["location"]).text
    assert all(one in page for one in TELLS)
    assert ATTACK not in page


def test_a_verdict_stands_beside_the_finding_under_its_name(ann, finding, store):
    judge(ann, finding, tags=["wrong", "made up"], note=" so so ")
    (given,) = store.verdicts(finding.id)
    assert (given.reviewer, given.score, given.tags, given.note) == (
        "Ann Bö;", 4, ("wrong",), "so so"
    )  # fmt: skip
    assert store.finding(finding.id) == finding


def test_a_new_verdict_counts_and_the_old_one_stays(ann, finding, store):
    judge(ann, finding)
    again = ann.get(f"/verdicts/{finding.id}?again=yes").text
    assert "You gave it 4" in again
    judge(ann, finding, score=2)
    assert [one.score for one in store.verdicts(finding.id)] == [4, 2]
    page = ann.get(f"/verdicts/{finding.id}").text
    assert "in place of 1 earlier verdict of yours" in page
    assert "2.0 <span" in ann.get("/findings").text


def test_what_was_skipped_comes_again_in_the_end(ann, finding):
    page = ann.get("/verdicts").text
    skip = page.split("data-skip")[0].rsplit('href="', 1)[1].split('"')[0]
    done = ann.get(skip.replace("&amp;", "&")).text
    assert "1 label was skipped" in done
    judge(ann, finding)
    assert "You have judged every label" in ann.get("/verdicts").text


def test_filters_stay_from_one_to_the_next(ann, finding):
    page = ann.get("/verdicts?status=supported").text
    assert f'action="/verdicts/{finding.id}?status=supported"' in page
    reply = ann.post(f"/verdicts/{finding.id}?status=supported", data={"score": 1}, headers=SAME)
    assert reply.headers["location"].endswith("?status=supported")
    assert 'href="/verdicts?status=supported" autofocus' in ann.get(reply.headers["location"]).text
    assert "No label fits" in ann.get("/verdicts?status=refuted").text


@pytest.mark.parametrize(
    "data", [{}, {"score": 0}, {"score": 6}, {"score": "x"}, {"score": 3, "note": "x" * 2001}]
)
def test_a_verdict_that_is_none_is_not_kept(ann, finding, store, data):
    assert ann.post(f"/verdicts/{finding.id}", data=data, headers=SAME).status_code == 422
    assert store.verdicts(finding.id) == ()


def test_nobody_judges_without_the_token_a_name_or_a_label(client, finding, store):
    assert judge(client, finding).status_code == 403
    client.get(f"/?token={TOKEN}")
    assert judge(client, finding).status_code == 400
    client.cookies.set("reviewer", "ann")
    (other,) = store.rows("SELECT finding FROM overview WHERE kind = 'behaviour'")
    assert client.get(f"/verdicts/{other['finding']}").status_code == 404
    assert client.get("/verdicts/ffff").status_code == 400
    assert store.rows("SELECT 1 FROM verdicts") == []


@pytest.mark.usefixtures("finding")
@pytest.mark.parametrize("name", [ATTACK, '"; Path=/', "%0d%0aX: y", "é" * 60])
def test_a_name_is_text_whatever_it_says(client, name):
    client.get(f"/?token={TOKEN}")
    reply = client.post("/verdicts/reviewer", data={"name": name}, headers=SAME)
    assert reply.status_code == 303
    assert "X" not in reply.headers
    page = client.get("/verdicts").text
    assert ATTACK not in page
    assert "of 1 label judged" in page
    assert client.post("/verdicts/reviewer", data={"name": " "}, headers=SAME).status_code == 422


@pytest.mark.usefixtures("finding")
def test_where_one_goes_on_is_always_here(client):
    client.get(f"/?token={TOKEN}")
    data = {"name": "ann", "back": "\r\nX: y"}
    reply = client.post("/verdicts/reviewer", data=data, headers=SAME)
    assert reply.headers["location"].startswith("/verdicts?")
    assert "X" not in reply.headers


@pytest.mark.usefixtures("finding")
def test_agreement_is_told_once_two_have_judged_the_same(client, store):
    assert "Nobody can say yet" in client.get("/verdicts/agreement").text
    for feature, scores in ((2, (1, 2)), (3, (5, 5)), (4, (4, 2))):
        store.put(one := finding_of(feature, f"thing {feature}"))
        for reviewer, score in zip(("ann", "bo"), scores, strict=True):
            store.judge(Verdict(finding=one.id, reviewer=reviewer, score=score))
    page = client.get("/verdicts/agreement").text
    assert "on 3 labels that two or more have judged" in page
    assert "ann and bo" in page
    assert "33 %" in page
    assert "thing 4" in page


def shots(first, count, cells=""):
    return tuple(Shot(first + n, None, 1.0, 1.0, cells, "") for n in range(count))


def test_what_is_shown_fires_and_is_silent_in_one_order_for_all():
    tabs = (
        Tab("mean", "", "", 1, (Row("", shots(0, 9, "x")),)),
        Tab("quarters", "", "", 1, (Row("", shots(0, 5, "x")), Row("", shots(20, 5, "x")))),
        Tab("silent", "", "", 1, (Row("", shots(40, 2)), Row("", shots(50, 9)))),
        Tab("sealed", "", "", 1, (Row("", shots(60, 9, "x")),)),
    )
    gallery = Gallery(tabs=tabs, grid=(2, 2), peak=1.0, explore=None, sealed=None)
    seen = chosen(gallery, "a")
    numbers = [shot.number for shot in seen]
    assert len(set(numbers)) == 12
    assert sum(shot.fires for shot in seen) == 8
    assert {0, 1, 2, 3} < set(numbers)
    assert {40, 41, 50, 51} < set(numbers)
    assert max(numbers) < 60
    assert chosen(gallery, "a") == seen != chosen(gallery, "b")
    assert [shot.fires for shot in seen] != sorted((shot.fires for shot in seen), reverse=True)
