"""A store with a finished, a killed and a running run, and the application over it."""

import json
import os
import shutil
import socket
from datetime import timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi.testclient import TestClient
from PIL import Image

from agent.events import Event
from agent.findings import Cost
from agent.store import Reader, Store
from agent.transcript import SaidPart
from review.app import create_app
from tests.agent.store.conftest import NOON, PROVENANCE, Said, call_of, event_of, finding_of

TOKEN = "a-token-of-the-tests"
ADDRESS = "http://127.0.0.1:8000"
ATTACK = "<script>alert(1)</script>"
BEFORE = NOON - timedelta(seconds=1)
SPENT = Cost(calls=3, tokens=12_345, seconds=1.5)


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A folder with an empty store: it takes longer to make one than most tests take."""
    folder = tmp_path_factory.mktemp("blank") / "runs"
    Store(folder).close()
    return folder


@pytest.fixture
def runs(blank, tmp_path):
    """A folder for runs with a store that nothing is in."""
    return Path(shutil.copytree(blank, tmp_path / "runs"))


@pytest.fixture
def store(runs):
    with Store(runs) as made:
        yield made


@pytest.fixture
def picture(store):
    """The id of a red picture."""
    return store.artefacts.put_picture(Image.new("RGB", (120, 60), (200, 30, 30)))


@pytest.fixture
def done(store, picture):
    """A run that is done: everything that a model or a person wrote in it attacks."""
    name = "0301-done"
    store.begin(name, f"what is {ATTACK}?", PROVENANCE, pid=os.getpid())
    for event in _events(name, picture):
        store.hear(event)
    store.record(call_of(run=name, text=ATTACK, said=f"a cat {ATTACK}", messages=_asked(picture)))
    evidence = store.artefacts.put(json.dumps({"label": ATTACK, "picture": picture}).encode())
    finding = store.put(finding_of(run=name, label=f"{ATTACK} umbrella", artefact=evidence))
    answer = f"**It is {ATTACK}** (finding {finding}, evidence [{evidence[:12]}])"
    store.ended(name, "done", answer)
    return name


def _events(run: str, picture: str) -> list[Event]:
    return [
        event_of("investigate", unit="run", step=1, kind="plan", run=run, at=BEFORE),
        event_of(
            f"covered {ATTACK}", kind="tool", tool="counterfactual", cost=SPENT, run=run,
            arguments={"words": ATTACK}, result={"changed": picture, "p": 0.04321},
        ),
        event_of("broke off", kind="failure", place=1, run=run),
    ]  # fmt: skip


def _asked(picture: str) -> tuple[Said, ...]:
    parts = (SaidPart(picture=picture), SaidPart(text=ATTACK))
    return (Said(speaker="user", parts=parts),)


@pytest.fixture
def killed(store):
    """A run whose process is gone, as far as anybody can tell."""
    name = "0302-gone"
    store.begin(name, "and 119?", PROVENANCE, pid=os.getpid())
    store._let_go(name)
    return name


@pytest.fixture
def running(store):
    """A run that this process works on."""
    name = "0303-live"
    store.begin(name, "and 120?", PROVENANCE, pid=os.getpid())
    store.hear(event_of("gathered", run=name, unit="0/120", step=1))
    return name


@pytest.fixture
def client(store):
    """A browser on this machine, without the token."""
    with Reader(store.runs) as reader:
        app = create_app(reader, TOKEN)
        with TestClient(app, ADDRESS, follow_redirects=False) as made:
            yield made


@pytest.fixture
def links():
    """The addresses on a page that lead somewhere else than into the page."""

    def found(html):
        parts = (part.split('"')[0] for part in html.split('href="')[1:])
        return [one for one in parts if urlsplit(one).path]

    return found


@pytest.fixture
def hands():
    """Nobody: the server only reads."""
    return


@pytest.fixture
def acting(store, hands):
    """A browser with the token, on a server with hands."""
    with Reader(store.runs) as reader:
        app = create_app(reader, TOKEN, hands)
        made = TestClient(app, ADDRESS, follow_redirects=False, headers={"Origin": ADDRESS})
        with made:
            made.get(f"/runs?token={TOKEN}")
            yield made


@pytest.fixture
def address(store, hands):
    """The application served to a browser; its address, with the token."""
    with Reader(store.runs) as reader, socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            create_app(reader, TOKEN, hands), log_level="warning", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/runs?token={TOKEN}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    """A real browser; where there is none, the tests that need it are skipped, and say so."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    driver.expect.set_options(timeout=60_000)  # a busy machine must not count as a fault
    named = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, named)), None)
    # Some machines that run tests have no sandbox and no graphics; none of it is asked for.
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with driver.sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("NO BROWSER: install chromium to test the review application in one")
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, address):
    """A page of the list of runs; in the end nothing may have gone wrong or elsewhere."""
    context = chromium.new_context()
    opened, faults = context.new_page(), []
    here = "/".join(address.split("/")[:3])
    opened.on("console", lambda said: said.type == "error" and faults.append(said.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda one: one.url.startswith(here) or faults.append(one.url))
    opened.set_default_timeout(60_000)
    opened.goto(address)
    yield opened
    opened.goto("about:blank")  # what it still watches is let go of before the server ends
    context.close()
    assert "\n".join(faults) == ""
