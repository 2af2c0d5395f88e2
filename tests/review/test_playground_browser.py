"""The playground in a real browser: words come as they are said; what is kept has an address."""

import socket
from threading import Thread

import pytest
import uvicorn

from agent.store import Reader
from review.app import create_app
from review.bench import Said, Told
from tests.review.conftest import TOKEN
from tests.review.test_playground import NAME, Bench

expect = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT").expect


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def address(store, bench):
    """The playground served to a browser; its address, with the token."""
    with Reader(store.runs) as reader, socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(reader, TOKEN, bench)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/steer?token={TOKEN}"
        server.should_exit = True
        thread.join()


def replies(**texts):
    return tuple(Said(name=name, text=text) for name, text in texts.items())


@pytest.mark.usefixtures("done")
def test_words_come_as_they_are_said_until_they_are_kept(page, bench, store, picture):
    page.locator("[name=find]").fill("umbrella")
    page.get_by_role("button", name="umbrella").click()
    slider = page.get_by_role("slider", name="Strength of feature 118")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#times-1")).to_have_value("1.75")
    page.get_by_label("Prompt", exact=True).fill("what is it?")
    page.get_by_label("Random features").uncheck()
    page.get_by_role("button", name="Try").click()
    page.wait_for_url(f"**/steer/{NAME}#replies")
    (asked,) = bench.asked
    assert [(one.feature, one.strength) for one in asked.writes] == [(118, 1.75)]
    assert asked.controls == ("wrong_sign",)
    expect(page.locator("[data-text]")).to_have_text("Waiting: 1 before it")
    bench.tell(state="working", note="", news=1, replies=replies(unsteered="a"))
    expect(page.locator("[data-said=unsteered]")).to_have_text("a")
    said = replies(unsteered="a cat", steered="a <b>dog")
    bench.tell(news=2, replies=said)
    expect(page.locator("[data-said=steered]")).to_have_text("a <b>dog")
    kept = store.artefacts.put_document(
        Told(asked=asked, coder="c", model="m", hook="h", replies=said, recipe=picture)
    )
    bench.tell(state="done", news=3, kept=kept)
    page.wait_for_url(f"**/steer/{kept}")
    expect(page.locator("#replies mark")).to_have_text("<b>dog")
    expect(page.get_by_text("Save as recipe")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/steer?feature=118&feature=7", "/attribution"):
        page.goto(f"{'/'.join(page.url.split('/')[:3])}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
