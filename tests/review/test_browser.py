"""The pages in a real browser: by keyboard alone, live, and with nothing that goes wrong unseen."""

import pytest

from review.pages import run as run_page
from tests.agent.store.conftest import event_of

expect = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT").expect
FOCUSED = "document.activeElement.textContent.trim()"


def test_runs_are_found_and_opened_by_keyboard(page, done, killed):
    page.reload()
    page.keyboard.press("j")
    assert page.evaluate(FOCUSED) == "and 119?"
    page.keyboard.press("j")
    assert "what is" in page.evaluate(FOCUSED)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{killed}")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    page.keyboard.press("/")
    page.keyboard.type("what")
    expect(page.locator("#runs .title")).to_have_count(1)
    page.wait_for_url("**?q=what&status=")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{done}")


def test_what_is_closed_is_opened_by_keyboard_down_to_a_models_words(page, address, done):
    page.goto(address.replace("/runs", f"/runs/{done}"))
    unit = page.locator('[data-unit="0/118"] > details')
    for locator in (
        unit.locator("> summary"),
        unit.locator('[data-step="0/118.2"] > summary'),
        unit.locator(".inside > .opens > summary", has_text="model call"),
        unit.locator(".calls summary").first,
    ):
        locator.focus()
        page.keyboard.press("Enter")
    assert page.locator(".reply").text_content() == "a cat <script>alert(1)</script>"


OPENS_WHAT_COMES = """
new MutationObserver(() =>
  document.querySelectorAll(".calls details:not([open]) > summary").forEach((one) => one.click()),
).observe(document.body, { childList: true, subtree: true });
"""


def test_what_is_opened_the_moment_it_comes_brings_its_inside_too(page, address, done):
    page.goto(address.replace("/runs", f"/runs/{done}"))
    page.evaluate(OPENS_WHAT_COMES)
    unit = page.locator('[data-unit="0/118"] > details')
    unit.locator("> summary").press("Enter")
    unit.locator('[data-step="0/118.2"] > summary').press("Enter")
    unit.locator(".inside > .opens > summary", has_text="model call").press("Enter")
    expect(page.locator(".reply")).to_have_text("a cat <script>alert(1)</script>")


def test_the_keys_are_listed_and_the_list_goes_away(page):
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    assert "search" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_hidden()


def test_light_and_dark_are_kept(page):
    def paper():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    before = paper()
    page.get_by_label("Light or dark").click()
    after = paper()
    assert after != before
    page.reload()
    assert paper() == after


def test_an_address_leads_to_its_event_even_where_little_was_loaded(
    page, address, done, monkeypatch
):
    monkeypatch.setattr(run_page, "AT_ONCE", 0)
    page.goto(address.replace("/runs", f"/runs/{done}"))
    assert page.locator(".event").count() == 1  # of the request itself
    page.goto(f"{page.url}#0/118.2.1")
    event = page.locator('[id="0/118.2.1"]')
    event.wait_for(state="visible")
    assert "broke off" in event.inner_text()
    page.locator("#within").fill("covered")
    page.locator(".hits a").click()
    expect(page.locator(".event.here")).to_have_id("0/118.2.0")
    page.locator(".here .opens > summary").click()
    page.get_by_text("0.04321").wait_for()


def test_a_run_is_watched_until_its_answer(page, address, running, store):
    page.goto(address.replace("/runs", f"/runs/{running}"))
    page.locator('[data-unit="0/120"] > details > summary').click()
    assert page.locator(".event").count() == 1
    store.hear(event_of("asked <b>", run=running, unit="0/120", step=1, place=1))
    store.hear(event_of("tested", run=running, unit="0/120", step=2))
    store.hear(event_of("another one", run=running, unit="0/121", step=1))
    page.locator('[data-unit="0/121"]').wait_for()
    page.locator('[id="0/120.1.1"]').wait_for(state="attached")
    assert page.locator('[data-step="0/120.2"]').count() == 1
    store.ended(running, "done", "It is **so**.")
    page.locator("#answer-title").wait_for()
    assert page.locator(".prose strong").inner_text() == "so"
    assert page.locator("[data-live]").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page, address, done, width):
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/runs", f"/runs/{done}#0/118.2.0"):
        page.goto(address.replace("/runs", path.split("#")[0]) + "#" + path.partition("#")[2])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
