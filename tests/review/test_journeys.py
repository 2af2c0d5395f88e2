"""What people come for, from end to end in a real browser, with hands that follow a script.

The page of these tests fails on whatever goes wrong in the console or leaves this machine.
"""

import os
from typing import NamedTuple

import pytest

from agent.findings import Firing
from review.bench import Said, Told
from review.hands import Bar, IndexRecord, Neighbour, Process
from tests.agent.store.conftest import PROVENANCE, event_of, finding_of
from tests.review.test_approval import RUN as ASKS
from tests.review.test_approval import asking_run
from tests.review.test_features import evidence_of, put, sighting
from tests.review.test_playground import NAME, Bench

expect = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT").expect
RUN, QUESTION = "0305-asked", "what does feature 118 respond to?"
WIDTH = 390
STOPS = """() => {
  const places = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const seen = { checkVisibilityCSS: true, contentVisibilityAuto: true };
  const all = [...document.querySelectorAll(places)].filter((one) =>
    one.checkVisibility(seen) && !one.disabled && one.tabIndex >= 0 && one.type !== "hidden");
  // Arrows, not Tab, lead through radio buttons.
  const named = (one) => one.type === "radio" ? `radio ${one.name}` :
    `${all.indexOf(one)} ${one.tagName} ${one.name ?? ""} ${one.textContent.trim().slice(0, 40)}`;
  const now = all.includes(document.activeElement) ? named(document.activeElement) : null;
  const look = getComputedStyle(document.activeElement);
  const outlined = look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0;
  return { all: all.map(named), now, outlined };
}"""
LIGHT_IN_THE_DARK = """() => {
  const shine = (colour) => {
    const [r, g, b, a = 1] = (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return a < 0.5 ? 0 : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  return [...document.querySelectorAll("body, body *")].filter((one) =>
    one.checkVisibility() && one.clientWidth > 20 && shine(getComputedStyle(one).backgroundColor) > 0.8).map((one) => one.outerHTML.slice(0, 90));
}"""  # noqa: E501


class Hands(Bench):
    """Begins a run in the store, and has pictures of explore and an index."""

    def __init__(self, store):
        super().__init__()
        self._store, self.going = store, {}

    async def ask(self, question):
        self.going[RUN] = Process("starting", "loads")
        self.question = question
        return RUN

    def begin_run(self):
        self._store.begin(RUN, self.question, PROVENANCE, pid=os.getpid())
        self.going.clear()

    async def answer(self, run, asked, *, agreed):
        self.answered = (run, asked, agreed)
        self._store.resumed(run, pid=os.getpid())

    def process(self, run):
        return self.going.get(run)

    def picture(self, split, number, finding=None):
        assert split == "explore" or finding is None
        return super().picture(split, number)

    def record(self, finding):
        assert finding
        return IndexRecord((Bar(1.0, 2.0, 77),), (Neighbour(119, 0.4),))


class Kept(NamedTuple):
    """What there is to look at."""

    first: str
    second: str


@pytest.fixture
def hands(store):
    return Hands(store)


def found_out(store, run, feature, label):
    """A finding with evidence: a picture on which it fires, and one on which it does not."""
    shown = (sighting(7, "top_by_mean"), sighting(9, "near"))
    evidence = put(store, {**evidence_of("explore", *shown), "feature": feature})
    made = finding_of(feature, label, run=run, firing=Firing(level=1.5, often=0.1, at_all=0.3))
    return store.put(made.model_copy(update={"evidence": evidence}))


@pytest.fixture
def kept(store, done):
    """A run with two findings."""
    return Kept(*(found_out(store, done, n, f"the {n}th") for n in (4, 5)))


@pytest.fixture
def go(page, address):
    """Goes to a path, with what is asked there."""
    return lambda path: page.goto(address.split("/runs")[0] + path)


def test_asked_watched_opened_judged_and_found_again(page, hands, store):
    page.get_by_label("Ask").fill(QUESTION)
    page.get_by_role("button", name="Start a run").click()
    expect(page.locator("h1")).to_have_text("Starting")
    assert hands.question == QUESTION
    hands.begin_run()
    page.wait_for_url(f"**/runs/{RUN}")
    expect(page.locator("#facts")).to_contain_text("running")
    store.hear(event_of("gathered evidence", run=RUN, step=1))
    expect(page.locator("[data-latest]")).to_contain_text("gathered evidence")
    finding = found_out(store, RUN, 118, "red umbrella")
    store.ended(RUN, "done", f"**red umbrella** (finding {finding})")
    page.get_by_role("link", name=f"finding {finding}").first.click()
    expect(page.locator("h1")).to_have_text("red umbrella")
    expect(page.locator("main")).to_contain_text("30 %")  # active at all
    picture = page.get_by_role("img", name="Picture 7")
    expect(picture).to_be_visible()
    assert picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") == 96
    page.get_by_role("link", name="Verdicts").click()
    page.get_by_label("Your name").fill("ann")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("h1")).to_contain_text("red umbrella")
    assert "supported" not in page.locator("main").inner_text()  # blind
    page.get_by_role("radio", name="4").check()
    page.get_by_role("button", name="Give the verdict").click()
    expect(page.locator("main")).to_contain_text("supported")
    page.get_by_role("link", name="Findings").click()
    page.get_by_label("Verdicts").select_option("judged")
    row = page.locator(".findings tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("4.0 (1)")
    row.get_by_role("link", name="red umbrella").click()
    expect(page.locator("main")).to_contain_text("ann")


def test_a_feature_is_written_beside_controls_and_kept_as_a_recipe(page, go, hands, store, picture):
    go("/steer?prompt=what+is+it%3F")
    page.get_by_label("number", exact=True).fill("7")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("img", name="the picture that the model sees")).to_be_visible()
    page.get_by_label("Feature", exact=True).fill("118")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("slider", name="Strength of feature 118").fill("-1.5")
    page.get_by_label("Random features").check()
    page.get_by_role("button", name="Try").click()
    page.wait_for_url(f"**/steer/{NAME}#replies")
    (asked,) = hands.asked
    assert [(one.feature, one.strength) for one in asked.writes] == [(118, -1.5)]
    assert "random_feature" in asked.controls
    assert store.artefacts.picture(asked.picture).getpixel((0, 0)) == (7, 0, 0)
    said = tuple(
        Said(name=name, text=f"{name} said", kl=0.25, perplexity=3)
        for name in ("unsteered", "steered", *asked.controls)
    )
    hands.tell(state="working", note="", news=1, replies=said[:1])
    expect(page.locator("[data-said=unsteered]")).to_have_text("unsteered said")
    told = Told(asked=asked, coder="c", model="m", hook="h", replies=said, recipe=picture)
    kept = store.artefacts.put_document(told)
    hands.tell(state="done", news=2, kept=kept, replies=said)
    page.wait_for_url(f"**/steer/{kept}")
    expect(page.locator("[data-said=random_feature]")).to_have_text("random_feature said")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as recipe").click()
    assert download.value.suggested_filename == f"recipe-{picture[:12]}.json"
    assert download.value.path().read_bytes() == store.artefacts.get(picture)


def test_what_a_run_asks_for_is_approved_by_keyboard(page, hands, store):
    asking_run(store)
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    approve = page.get_by_role("button", name="Approve")
    expect(page.locator("#asks")).to_contain_text("5,000 TFLOP")
    while not approve.evaluate("(one) => one === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#facts")).to_contain_text("running")
    assert hands.answered == (ASKS, "0.2.1", True)
    answer = {"cost": 5000.0, "agreed": True}
    store.hear(
        event_of("approved", kind="approval", run=ASKS, unit="0", step=2, place=2, result=answer)
    )
    expect(page.locator("#asks")).to_be_empty()
    store.ended(ASKS, "done", "Trained.")
    expect(page.locator(".prose")).to_have_text("Trained.")


@pytest.mark.usefixtures("kept")
def test_a_label_is_found_doubted_and_judged_without_a_mouse(page):
    press = page.keyboard.press
    press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    for key, place in (("f", "findings"), ("r", "runs"), ("f", "findings")):
        press("g")
        press(key)
        page.wait_for_url(f"**/{place}")
    press("/")
    page.keyboard.type("5th")
    expect(page.locator(".findings .title")).to_have_text(["the 5th"])
    press("Escape")
    while page.evaluate("document.activeElement.textContent.trim()") != "the 5th":
        press("j")
    press("Enter")
    expect(page.locator("h1")).to_have_text("the 5th")
    page.wait_for_load_state()  # keys do nothing before
    press("g")
    press("v")
    page.wait_for_url("**/verdicts")
    page.keyboard.type("ann")  # the name has the focus
    press("Enter")
    for score in ("2", "5", "1"):
        expect(page.get_by_role("button", name="Give the verdict")).to_be_visible()
        page.wait_for_load_state()
        press(score)
        press("Enter")
        page.wait_for_url("**/verdicts/*")
        expect(page.get_by_role("row", name="You")).to_contain_text(score)
        expect(page.get_by_role("link", name="Next")).to_be_focused()
        press("Enter")
        page.wait_for_url("**/verdicts")
    expect(page.locator("h1")).to_have_text("Nothing is left to judge")


@pytest.mark.parametrize("path", ["/runs", "/runs/0301-done", "/findings", "/findings/{0}",
                                  "/verdicts", "/steer?feature=4", "/attribution"])  # fmt: skip
def test_tab_reaches_everything_and_is_seen(page, go, kept, path):
    go(path.format(*kept))
    page.wait_for_load_state("networkidle")
    stops = page.evaluate(STOPS)["all"]
    reached, unseen = set(), set()
    for _ in range(len(stops) + 5):
        page.keyboard.press("Tab")
        here = page.evaluate(STOPS)
        reached.add(here["now"])
        if here["now"] and not here["outlined"]:
            unseen.add(here["now"])
    assert len(stops) > 5
    assert set(stops) - reached == set()
    assert unseen == set()


def test_on_a_dark_telephone_nothing_overflows_or_dazzles(page, go, kept):
    page.set_viewport_size({"width": WIDTH, "height": 800})
    page.emulate_media(color_scheme="dark")
    first, second = kept
    for path in (
        "/runs", "/runs/0301-done", "/findings", f"/findings/{first}", "/verdicts",
        "/verdicts/agreement", f"/compare?left={first}&right={second}", "/compare/runs",
        "/compare/runs?left=0301-done&right=0301-done", "/steer?feature=4&number=7",
        "/attribution", "/verdicts/reviewer",
    ):  # fmt: skip
        go(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, path
        assert page.evaluate(LIGHT_IN_THE_DARK) == [], path
