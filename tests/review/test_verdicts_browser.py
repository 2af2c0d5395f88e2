"""Findings and verdicts in a real browser: by keyboard alone, and found again afterwards."""

import os

import pytest

from tests.agent.store.conftest import PROVENANCE, finding_of

expect = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT").expect


@pytest.fixture
def two(store):
    store.begin("r1", "label 1 and 2", PROVENANCE, pid=os.getpid())
    store.put(finding_of(1, "red umbrella"))
    store.put(finding_of(2, "blue boat"))
    return store


@pytest.mark.usefixtures("two")
def test_a_label_is_judged_by_keyboard_and_found_again(page):
    page.keyboard.press("g")
    page.keyboard.press("v")
    page.wait_for_url("**/verdicts")
    page.locator("input[name=name]").press_sequentially("ann")
    page.keyboard.press("Enter")
    page.locator(".verdict").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("4")
    page.keyboard.press("n")
    page.keyboard.press("t")
    page.keyboard.type("2 small")
    page.keyboard.press("Escape")
    expect(page.locator("[value='too narrow']")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/verdicts/*")
    expect(page.locator("main")).to_contain_text("supported")
    expect(page.locator("main")).to_contain_text("2 small")
    expect(page.get_by_role("link", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/verdicts")
    page.keyboard.press("s")
    expect(page.locator("h1")).to_have_text("Nothing is left to judge")
    page.wait_for_load_state()  # keys do nothing before
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/findings")
    page.locator("select[name=judged]").select_option("yes")
    expect(page.locator(".findings .title")).to_have_count(1)
    page.wait_for_url("**/findings?judged=yes")


@pytest.mark.usefixtures("two")
def test_two_are_searched_for_chosen_and_compared_by_keyboard(page, address):
    page.goto(address.replace("/runs", "/findings"))
    page.keyboard.press("/")
    page.keyboard.type("umb")
    expect(page.locator(".findings .title")).to_have_text(["red umbrella"])
    page.wait_for_url("**/findings?q=umb")
    page.locator(".findings .title").focus()
    page.keyboard.press("c")
    page.locator("[type=search]").fill("boat")
    expect(page.locator(".findings .title")).to_have_text(["blue boat"])
    page.locator(".findings .title").focus()
    page.keyboard.press("c")
    expect(page.locator("#tray [data-chosen] button")).to_have_count(2)
    page.locator("#tray button", has_text="Compare").press("Enter")
    page.wait_for_url("**/compare?left=*")
    shown = page.locator(".versus tbody tr:visible").count()
    page.get_by_label("differences only").check()
    assert 0 < page.locator(".versus tbody tr:visible").count() < shown
    page.go_back()
    expect(page.locator("#tray [data-chosen] button")).to_have_count(2)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("name", ["findings", "runs"])
def test_who_goes_from_the_search_to_what_it_found_stays_there(page, address, name):
    page.goto(address.replace("/runs", f"/{name}"))
    asked = []
    page.on("request", lambda one: "?q=" in one.url and asked.append(one.url))
    page.locator("[type=search]").press_sequentially("l")
    page.wait_for_url(f"**/{name}?q=l*")
    page.keyboard.press("Tab")
    page.locator("main [data-item]").first.focus()
    page.wait_for_timeout(400)  # a second search would have come by now
    assert len(asked) == 1
    expect(page.locator("main [data-item]").first).to_be_focused()


@pytest.mark.usefixtures("two")
def test_what_is_typed_while_an_answer_is_on_its_way_is_searched_for_after_it(page, address):
    page.goto(address.replace("/runs", "/findings"))
    held = []
    page.route("**/findings?q=u*", lambda one: held.append(one), times=1)
    page.locator("[type=search]").press_sequentially("u")
    page.wait_for_timeout(400)
    page.locator("[type=search]").press_sequentially("m")
    page.wait_for_timeout(400)
    held[0].continue_()
    page.wait_for_url("**/findings?q=um*")
    expect(page.locator(".findings .title")).to_have_text(["red umbrella"])


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page, address, two, width):
    page.set_viewport_size({"width": width, "height": 800})
    left, right = (row["finding"] for row in two.rows("SELECT finding FROM overview"))
    paths = (
        "findings?iou_from=0.1", f"compare?left={left}&right={right}", "compare/runs",
        "compare/runs?left=r1&right=r1", "verdicts", "verdicts/agreement",
    )  # fmt: skip
    for path in paths:
        page.goto(
            address.replace("runs", path).replace("?token", "&token" if "?" in path else "?token")
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
