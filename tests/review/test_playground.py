"""The playground and the question why: forms, uploads, replies as they come, what is kept."""

import io
import json
import zlib

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from agent.store import Reader
from review.app import create_app
from review.bench import Cause, Job, Model, Peak, Question, Said, Told, Trial, Why
from review.drafts import Draft, Shown, draft_from, draft_of
from review.hands import Refused
from review.told import pieces
from tests.agent.store.conftest import finding_of
from tests.review.conftest import ADDRESS, ATTACK, TOKEN

NAME = "0123456789ab"


class Bench:
    """Hands that remember what they were asked, and say what the test has laid out."""

    def __init__(self):
        self.asked, self.stopped, self.jobs = [], [], {}
        self.state = Model("ready", "toybox:target", "coder")
        self.full = False

    def model(self, **_):
        return self.state

    def peaks(self, features):
        return tuple(Peak(one, 10.25, 296) for one in features)

    def begin(self, asked):
        if self.full:
            raise Refused("4 trials wait already.")
        self.asked.append(asked)
        self.jobs[NAME] = Job(NAME, asked, "waiting", "1 before it", 0)
        return NAME

    def job(self, name):
        return self.jobs.get(name)

    def stop(self, name):
        self.stopped.append(name)

    def picture(self, _split, number):
        file = io.BytesIO()
        Image.new("RGB", (96, 96), (number, 0, 0)).save(file, "PNG")
        return file.getvalue()

    def process(self, _run):
        return None

    def tell(self, **changes):
        self.jobs[NAME] = self.jobs[NAME]._replace(**changes)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def hands(bench):
    return bench


@pytest.fixture
def steering(acting):
    """A browser with the token, on a server with a model."""
    return acting


def trial(**fields):
    usual = {"prompt": "is there a car ?", "writes": [{"feature": 118, "strength": 2}]}
    return Trial(**{**usual, **fields})


@pytest.fixture
def told(store, picture):
    """A trial that was kept: the model attacks."""
    recipe = store.artefacts.put(b'{"version":1}')
    said = [("unsteered", "a red car"), ("steered", f"a {ATTACK} car"), ("wrong_sign", "a red car")]
    return store.artefacts.put_document(
        Told(
            asked=trial(picture=picture, controls=["wrong_sign"]),
            coder="coder",
            model="m",
            hook="h",
            recipe=recipe,
            replies=[Said(name=name, text=text, kl=0.25, perplexity=3) for name, text in said],
        )
    )


@pytest.fixture
def why(store, picture):
    """A question that was answered."""
    cause = Cause(feature=118, image=1.5, text=-0.5, heat=picture, tokens=(0.0, -0.5))
    other = Cause(feature=7, image=0.0, text=-0.25, heat=None, tokens=(-0.25, 0.0))
    return store.artefacts.put_document(
        Why(
            asked=Question(picture=picture, question="is it ?", answer="yes", baseline=ATTACK),
            coder="coder",
            model="m",
            hook="h",
            difference=2.5,
            by_image=1.5,
            by_text=-0.75,
            heat=picture,
            words=("is", ATTACK),
            totals=(-0.25, -0.5),
            causes=(cause, other),
            checked=0.9,
        )
    )


def test_what_is_filled_in_is_asked_for(steering, bench, picture):
    form = {
        "picture": picture, "prompt": "is there a car ?", "feature": ["118", "7", ""],
        "times": ["-1.5", "3", "2"], "kind": "add", "where": "image", "mode": "strict",
        "control": ["wrong_sign", "prompt_only"], "hint": "think", "tokens": "12",
    }  # fmt: skip
    reply = steering.post("/steer", data=form)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/steer/{NAME}#replies")
    (asked,) = bench.asked
    assert [(one.feature, one.strength) for one in asked.writes] == [(118, -1.5), (7, 3)]
    assert (asked.picture, asked.kind, asked.where, asked.tokens) == (picture, "add", "image", 12)
    assert asked.controls == ("wrong_sign", "prompt_only")


def test_a_picture_of_a_split_is_kept_before_it_is_asked_about(steering, bench, store):
    steering.post("/steer", data={"split": "validate", "number": "5", "feature": "1"})
    kept = store.artefacts.picture(bench.asked[0].picture)
    assert kept.getpixel((0, 0)) == (5, 0, 0)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "writes"),
        ({"feature": "x"}, "writes.0.feature"),
        ({"feature": "1", "times": "nan"}, "writes.0.strength"),
        ({"feature": "1", "times": "1e9"}, "writes.0.strength"),
        ({"feature": [str(n) for n in range(9)]}, "writes"),
        ({"feature": "1", "tokens": "100000"}, "tokens"),
        ({"feature": "1", "kind": "boil"}, "kind"),
        ({"feature": "1", "number": "-1"}, "no number of a picture"),
        ({"feature": "1", "number": "3", "split": "test"}, "no split to choose from"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_begins(steering, bench, form, said):
    reply = steering.post("/steer", data=form)
    assert reply.status_code == 422
    assert said in reply.text
    assert not bench.asked


def test_a_bench_that_is_full_says_so(steering, bench):
    bench.full = True
    reply = steering.post("/steer", data={"feature": "1"})
    assert reply.status_code == 409
    assert "4 trials wait already." in reply.text


def test_only_the_token_may_have_the_model_work(store, bench):
    with Reader(store.runs) as reader:
        app = create_app(reader, TOKEN, bench)
        with TestClient(app, ADDRESS, headers={"Origin": ADDRESS}) as stranger:
            for path in ("/steer", "/attribution", "/steer/picture", f"/steer/{NAME}/stop"):
                assert stranger.post(path, data={"feature": "1"}).status_code == 403
    assert not bench.asked


def test_an_address_holds_all_that_is_filled_in():
    draft = Draft(
        shown=Shown("", "validate", "3"), prompt="a & b?", writes=(("1", "-2"), ("3", "4")),
        kind="add", where="text", mode="paper", controls=("wrong_sign",), hint="hm", tokens="9",
        coder="of this coder",
    )  # fmt: skip
    from starlette.datastructures import QueryParams

    assert draft_of(QueryParams(draft.query())) == draft


def test_a_trial_can_be_asked_for_again():
    asked = trial(controls=("wrong_sign",), kind="scale", tokens=9)
    assert draft_from(asked).trial(None) == asked


def test_features_are_added_and_taken_away_without_scripts(steering):
    page = steering.get("/steer?feature=118&times=3&feature=&times=2&feature=7&without=118").text
    assert 'name="feature" value="7"' in page
    assert 'name="feature" value="118"' not in page


def test_features_are_found_by_their_labels(steering, store, done):
    store.put(finding_of(7, run=done, label="umbrella", coder="another"))
    found = steering.get("/steer/labels?find=umbrella").text
    assert 'name="feature" value="118"' in found
    assert 'value="7"' not in found
    assert ATTACK not in found
    assert "No feature fits" in steering.get("/steer/labels?find=xyzzy").text


def test_words_come_as_they_are_said(steering, bench):
    steering.post("/steer", data={"feature": "1", "control": "wrong_sign"})
    bench.tell(state="working", note="", replies=(Said(name="unsteered", text="a red"),), news=3)
    page = steering.get(f"/steer/{NAME}").text
    assert f'data-job="{NAME}"' in page
    assert "a red" in page
    assert 'data-said="wrong_sign"' in page
    bench.tell(state="stopped", note="stopped by hand", news=4)
    told = steering.get(f"/jobs/{NAME}/news").text
    kind, data = told.split("\n\n")[1].split("\n")
    assert kind == "event: over"
    assert json.loads(data.removeprefix("data: "))["replies"] == {"unsteered": "a red"}
    steering.post(f"/steer/{NAME}/stop")
    assert bench.stopped == [NAME]


def test_what_was_tried_is_shown_by_whoever_only_reads(client, told):
    page = client.get(f"/steer/{told}").text
    assert ATTACK not in page
    assert "&lt;script&gt;" in page
    assert "the same as unsteered" in page
    assert "0.25 nats away" in page
    recipe = client.get(f"/steer/{told}/recipe.json")
    assert recipe.headers["content-disposition"].startswith('attachment; filename="recipe-')
    assert recipe.text == '{"version":1}'


def test_why_is_told_of_all_features_and_of_each(client, why):
    page = client.get(f"/attribution/{why}").text
    assert ATTACK not in page
    assert "+2.50 logits" in page
    assert 'data-shade="-4" title="-0.500"' in page
    one = client.get(f"/attribution/{why}?feature=7").text
    assert 'data-shade="-4" title="-0.250"' in one
    assert "No map" in one
    assert "All features together" in client.get(f"/attribution/{why}?feature=9").text


def test_a_question_is_asked_for(steering, bench, picture):
    form = {"picture": picture, "question": "q", "answer": "yes", "baseline": "no", "top": "5"}
    assert steering.post("/attribution", data=form).headers["location"] == f"/attribution/{NAME}"
    assert bench.asked == [
        Question(picture=picture, question="q", answer="yes", baseline="no", top=5)
    ]
    assert f'data-job="{NAME}"' in steering.get(f"/attribution/{NAME}").text
    assert steering.post("/attribution", data={"answer": "yes"}).status_code == 422


@pytest.mark.parametrize("kind", ["steer", "attribution"])
def test_what_is_no_such_document_is_not_shown(client, kind, told, why, picture):
    other = {"steer": why, "attribution": told}[kind]
    for name in (other, picture, "0" * 64, NAME, "f" * 63):
        assert client.get(f"/{kind}/{name}").status_code in (404, 422)


def png(*size):
    file = io.BytesIO()
    image = Image.new("RGB", size, (1, 2, 3))
    image.save(file, "PNG")
    return file.getvalue()


def bomb():
    """A PNG of 30,000 x 30,000 pixels in a few kilobytes."""

    def chunk(kind, data):
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    side = (30_000).to_bytes(4, "big")
    head = side + side + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes(3751) * 400)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_that_is_brought_is_kept_as_its_pixels_alone(steering, store):
    content = png(40, 30) + b"<script>what follows the pixels</script>"
    files = {"file": (f"../../{ATTACK}.png", content, "image/png")}
    reply = steering.post("/steer/picture", data={"feature": "3", "times": "1"}, files=files)
    address = reply.headers["location"]
    name = address.split("picture=")[1].split("&")[0]
    assert "feature=3&times=1" in address
    assert store.artefacts.picture(name).size == (40, 30)
    assert b"script" not in store.artefacts.get(name)
    assert f"/pictures/{name}.png" in steering.get(address).text


@pytest.mark.parametrize(
    "content", [b"<svg onload=alert(1)>", b"GIF89a" + bytes(100), png(1, 1)[:40], bomb()]
)
def test_what_is_no_picture_or_a_bomb_is_refused(steering, store, content):
    files = {"file": ("a.png", content, "image/png")}
    assert steering.post("/steer/picture", files=files).status_code == 415
    assert not list(store.artefacts.folder.glob("??/*"))


def test_a_body_without_end_is_cut_off(steering, monkeypatch):
    monkeypatch.setattr("review.uploads.MOST_BYTES", 1000)
    monkeypatch.setattr("review.uploads.LONGEST_FIELD", 10)
    files = {"file": ("a.png", bytes(100_000), "image/png")}
    assert steering.post("/steer/picture", files=files).status_code == 413
    assert steering.post("/steer", data={"prompt": "x" * 100_000}).status_code == 413


def test_without_a_file_the_form_stays_as_it_was(steering, picture):
    files = {"file": ("", b"", "application/octet-stream")}
    reply = steering.post("/steer/picture", data={"picture": picture}, files=files)
    assert f"picture={picture}" in reply.headers["location"]


def test_what_the_unsteered_model_says_too_does_not_stand_out():
    assert [tuple(one) for one in pieces("a red car here", "a blue car")] == [
        ("a", False), (" blue", True), (" car", False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("state", "said"),
    [("loading", "Loading the model"), ("failed", "can't be loaded"), ("ready", "is ready")],
)
def test_it_is_plain_whether_there_is_a_model(steering, bench, state, said):
    bench.state = Model(state, "toybox:target", None)
    assert said in steering.get("/steer").text
    assert said in steering.get("/steer/model").text


def test_a_server_that_only_reads_offers_nothing(client):
    page = client.get("/steer").text
    assert "This server only reads" in page
    assert 'class="main-deed" disabled' in page
    assert "Start a run" not in client.get("/runs").text
