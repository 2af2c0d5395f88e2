"""What a page on the internet, or another name for this machine, could try."""

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from agent.store import Reader
from review import app as application
from review.hands import Refused
from tests.review.conftest import ADDRESS, TOKEN

SAME = {"sec-fetch-site": "same-origin"}


class Recorded:
    """Hands that write down what they are told."""

    def __init__(self):
        self.told = []

    async def ask(self, question):
        raise Refused(f"Nobody is there to answer {question!r}")

    async def resume(self, run):
        self.told.append(("resume", run))

    async def pause(self, run):
        self.told.append(("pause", run))

    async def abort(self, run):
        raise Refused(f"The run {run} belongs to process 7")

    def process(self, _run):
        return None


@pytest.fixture
def hands():
    return Recorded()


@pytest.fixture
def acting(store, hands):
    with Reader(store.runs) as reader:
        app = application.create_app(reader, TOKEN, hands)
        with TestClient(app, ADDRESS, follow_redirects=False) as made:
            yield made


@pytest.fixture
def trusted(acting):
    """The same with the cookie that the printed address gives."""
    acting.get(f"/runs?token={TOKEN}")
    return acting


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001",
     "127.0.0.1.evil.example:8000",
     "127.0.0.1:8000@evil.example:8000", "localhost:8000/evil", "[::2]:8000", "",
     ":8000", "localhost:x"],
)  # fmt: skip
def test_another_name_for_this_machine_is_not_served(client, host):
    reply = client.get("/runs", headers={"host": host})
    assert reply.status_code == 421
    assert "Runs" not in reply.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LOCALHOST:8000"]
)
def test_the_names_of_this_machine_are_served(client, host):
    assert client.get("/runs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
     {"sec-fetch-site": "none"},
     {"origin": "null"}, {"origin": "http://evil.example"}, {"origin": "http://127.0.0.1:8001"},
     {"origin": "https://127.0.0.1:8000"}, SAME | {"origin": "http://evil.example"},
     {"sec-fetch-site": "cross-site", "origin": ADDRESS}],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_sites_can_change_nothing(trusted, hands, running, headers, method):
    reply = trusted.request(method, f"/runs/{running}/pause", headers=headers)
    assert reply.status_code == 403
    assert hands.told == []


@pytest.mark.parametrize("headers", [SAME, {"origin": ADDRESS}, SAME | {"origin": "null"}])
def test_our_own_pages_may_act_with_the_token(trusted, hands, running, headers):
    reply = trusted.post(f"/runs/{running}/pause", headers=headers)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/runs/{running}")
    assert hands.told == [("pause", running)]


@pytest.mark.parametrize("token", [None, "", "another", TOKEN + "x", "ä"])
def test_without_the_token_nothing_is_done(acting, hands, running, token):
    if token is not None:
        acting.get("/runs", params={"token": token})
        kept = f"{acting.app.user_middleware[0].kwargs['token']}"
        assert kept not in acting.cookies.values()
    assert acting.post(f"/runs/{running}/pause", headers=SAME).status_code == 403
    assert hands.told == []


def test_the_token_leaves_the_address_and_stays_from_scripts(client):
    reply = client.get(f"/runs?status=done&token={TOKEN}&q=a%26b")
    assert (reply.status_code, reply.headers["location"]) == (303, "/runs?status=done&q=a%26b")
    cookie = reply.headers["set-cookie"]
    assert TOKEN in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_the_entrance_leads_to_no_other_server(client):
    for path in ("//evil.example", "///evil.example", "/%5Cevil.example", "/%2Fevil.example"):
        place = client.get(f"{ADDRESS}{path}?token=x").headers["location"]
        assert place.startswith("/")
        assert place[1] not in "/\\"


def test_every_reply_is_sealed(client, done):
    for path in ("/runs", f"/runs/{done}", "/static/style.css", "/nowhere", "/runs?status=odd"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_a_bug_is_sealed_too_and_shows_nothing_of_its_inside(store, monkeypatch):
    broken = APIRouter()

    @broken.get("/broken")
    def page():
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(application, "ROUTERS", (broken,))
    with Reader(store.runs) as reader:
        app = application.create_app(reader, TOKEN)
        reply = TestClient(app, ADDRESS, raise_server_exceptions=False).get("/broken")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_a_web_socket_is_closed_before_anything_is_said(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/runs"):
        pass


def test_a_refusal_is_told_in_its_own_words(trusted, running):
    reply = trusted.post(f"/runs/{running}/abort", headers=SAME)
    assert reply.status_code == 409
    assert "belongs to process 7" in reply.text


def test_a_server_without_hands_only_reads(client, running):
    client.get(f"/?token={TOKEN}")
    assert client.post(f"/runs/{running}/pause", headers=SAME).status_code == 404
    assert "<button>Pause" not in client.get(f"/runs/{running}").text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py",
     "/static/vendor/../../app.py",
     "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/docs", "/openapi.json", "/redoc"],
)  # fmt: skip
def test_nothing_but_the_pages_is_served(client, path):
    assert client.get(path).status_code == 404
