"""The page of a finding: pictures with masks, what was tested, what changed, what is sealed."""

import io
import json
import os
import struct
from base64 import b64decode
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from agent.findings import Counts, Culprit, Firing, SteeringOutcome, Struck, Swing
from agent.store import Reader
from agent.store.records import Verdict
from review.app import create_app
from review.charts import Scale, Setting, bars_of, histogram, interval_plot, sweep
from review.evidence import FINEST, outline, packed
from review.features import changes
from review.hands import Bar, IndexRecord, Neighbour, Refused
from sae_core.scoring.estimate import Estimate
from tests.agent.store.conftest import (
    NOWHERE,
    PROVENANCE,
    behaviour_of,
    event_of,
    finding_of,
)
from tests.review.conftest import ADDRESS, ATTACK, TOKEN

RUN = "0304-made"
CELLS = ((0.0, 1.0), (2.0, 4.0))
THRESHOLD = 0.4
STEERED = SteeringOutcome(
    role="both",
    why="more than all controls",
    strength=8.0,
    swings=tuple(
        Swing(name=name, moved=Estimate(value=value, low=0.0, high=2 * value, n=2))
        for name, value in (("feature", 1.0), ("random_feature", 0.1))
    ),
    texts={
        "unsteered": ("a beach", "a dog"),
        "feature": ("an umbrella", f"umbrella {ATTACK}"),
        "feature off": ("nothing",),
    },
    prompts=("what is it?", "describe it."),
)


class Painter:
    """Has the pictures of explore alone, each in a colour of its number, and an index."""

    def picture(self, split, number, finding=None):
        if split == "test":
            raise Refused(f"The picture {number} of {finding} is sealed.")
        written = io.BytesIO()
        Image.new("RGB", (64, 32), (number, 0, 0)).save(written, "PNG")
        return written.getvalue()

    def record(self, finding):
        assert finding
        return IndexRecord((Bar(1.0, 2.0, 77),), (Neighbour(119, 0.4),))


def put(store, document):
    return store.artefacts.put(json.dumps(document).encode())


def evidence_of(split, *sightings):
    return {
        "feature": 118, "split": split, "grid": [2, 2], "fires_on": 5, "size": 50, "peak": 4.0,
        "level": 2.0, "sightings": sightings, "of_a_later_version": True,
    }  # fmt: skip


def sighting(number, group, quantile=None):
    fires = group in ("top_by_mean", "quantile")
    return {
        "picture": number, "group": group, "quantile": quantile,
        "mean": 1.75 * fires, "peak": 4.0 * fires, "cells": CELLS if fires else [],
    }  # fmt: skip


@pytest.fixture
def finding(store, picture):
    """A finding with evidence of explore and sealed pictures, which its run tells of."""
    explore = put(store, evidence_of("explore", sighting(7, "top_by_mean"), sighting(9, "near")))
    sealed = put(store, evidence_of("test", sighting(3, "quantile", 3), sighting(4, "rival")))
    marks = [
        {"picture": 3, "mask": picture, "iou_strict": 0.25, "verdict": 0, "foretold": 0.9},
        {"picture": 4, "foretold": 0.7, "fires": False},
    ]
    sheet = put(store, {"label": "red umbrella", "pictures": marks})
    store.begin(RUN, "what is feature 118?", PROVENANCE, pid=os.getpid())
    made = finding_of(run=RUN, firing=Firing(level=1.5, often=0.1, at_all=0.3), steering=STEERED)
    verified = made.verification.model_copy(update={"evidence": sealed, "sheet": sheet})
    made = made.model_copy(update={"evidence": explore, "verification": verified})
    neighbours = {"neighbours": [{"feature": 5, "share": 0.5}]}
    scored = {"evidence": sealed, "label": "red umbrella", "threshold": THRESHOLD}
    told = {"finding": made.id}
    for place, fields in enumerate(
        (
            {"kind": "tool", "tool": "top_images", "result": neighbours},
            {"kind": "tool", "tool": "score", "result": scored},
            {"kind": "finding", "result": told},
        )
    ):
        store.hear(event_of("told", run=RUN, place=place, **fields))
    store.put(made)
    store.ended(RUN, "done", "It is red umbrellas.")
    return made


@pytest.fixture
def seeing(store):
    """A browser, and a server that has pictures."""
    with Reader(store.runs) as reader:
        hands: Any = Painter()  # these pages ask for pictures alone
        app = create_app(reader, TOKEN, hands)
        yield TestClient(app, ADDRESS, follow_redirects=False)


def test_a_feature_is_found_by_the_beginning_of_its_coder(client, finding):
    page = client.get("/features/cod/118")
    assert page.status_code == 200
    assert page.text == client.get(f"/findings/{finding.id}").text
    for path in ("/features/cod/119", "/features/xyz/118"):
        assert client.get(path).status_code in (400, 404)


@pytest.mark.usefixtures("finding")
def test_a_beginning_that_is_several_coders_is_told(client, store):
    store.put(finding_of(run=RUN, coder="code"))
    assert "several" in client.get("/features/c/118").text
    assert client.get("/features/code/118").status_code == 200


def test_without_pictures_the_page_says_so_and_shows_where_cells_lie(client, finding):
    text = client.get(f"/findings/{finding.id}").text
    assert "not in the store" in text
    assert "/shown/" not in text
    assert 'd="M0 1h1v1h-1zM1 1h1v1h-1z"' in text  # the two cells from the level on
    assert text.count("data-cells=") == 2


def test_a_sealed_picture_stands_with_what_was_said_of_it(client, finding):
    text = client.get(f"/findings/{finding.id}").text
    fires = text[text.index('id="tab-sealed"') : text.index('id="tab-sealed-silent"')]
    silent = text[
        text.index('id="tab-sealed-silent"') : text.index(
            "</section>", text.index('id="tab-sealed-silent"')
        )
    ]
    assert "judge disagrees" in fires
    assert "IoU 0.25" in fires
    assert "data-found=" in fires
    assert "detector yes<" in fires
    assert "detector yes, wrong" in silent
    assert f"from {THRESHOLD}" in fires


def test_pictures_come_from_whoever_has_them(seeing, finding):
    text = seeing.get(f"/findings/{finding.id}").text
    address = f"/shown/{finding.id}/explore/7.png"
    assert f'src="{address}?size=384"' in text
    reply = seeing.get(address, params={"size": "96"})
    image = Image.open(io.BytesIO(reply.content))
    assert image.getpixel((0, 0)) == (7, 0, 0)
    again = seeing.get(
        address, params={"size": "96"}, headers={"If-None-Match": reply.headers["etag"]}
    )
    assert again.status_code == 304
    refused = seeing.get(f"/shown/{finding.id}/test/3.png")
    assert refused.status_code == 409
    told = seeing.get(f"/findings/{finding.id}/pictures").text
    assert f"The picture 3 of {finding.id} is sealed." in told


def test_no_picture_is_shown_without_hands(client, finding):
    assert client.get(f"/shown/{finding.id}/explore/7.png").status_code == 404
    assert client.get(f"/findings/{finding.id}/pictures").text.strip() == ""


def test_the_index_tells_what_evidence_does_not(client, seeing, finding):
    from_evidence = client.get(f"/findings/{finding.id}/activations").text
    from_index = seeing.get(f"/findings/{finding.id}/activations").text
    assert "3 activations" in from_evidence
    assert ">5</a>" in from_evidence
    assert "77 activations" in from_index
    assert ">119</a>" in from_index


def test_scores_and_tests_are_told_in_words_beside_the_chart(client, finding):
    text = client.get(f"/findings/{finding.id}").text
    assert 'aria-label="0.6, from 0.5 to 0.7; moved masks 0.1; shuffled labels 0.1"' in text
    assert 'aria-label="0.9, from 0.8 to 1; chance 0.5"' in text
    assert "went into the sealed test" in text
    assert "+0.10 (+0.00 to +0.20), p 0.04" in text
    assert "10 % of pictures, from 1.5 on" in text


def test_what_a_batch_leaves_of_a_finding_stands_beside_its_test(client, finding, store):
    assert "verified finding" not in client.get(f"/findings/{finding.id}").text
    store.correct(RUN, "0", 0.05, {finding.id: 0.2})
    text = client.get(f"/findings/{finding.id}").text
    assert "Among the 1 verified finding of" in text
    assert "its p is 0.2: chance alone may explain it" in text


def test_what_was_claimed_beyond_the_label_is_told(client, finding, store):
    part = Struck(claim="red umbrella without cat", left="red umbrella", won=1, lost=3, p=0.6)
    verified = finding.verification.model_copy(update={"struck": (part,)})
    again = finding.model_copy(update={"key": "another", "verification": verified})
    store.put(again)
    text = client.get(f"/findings/{again.id}").text
    assert "“red umbrella without cat” says no more than “red umbrella”" in text
    assert "1 picture speaks for it, 3 against it" in text


def test_replies_stand_beside_those_of_controls(client, finding):
    text = client.get(f"/findings/{finding.id}").text
    steering = text[text.index('id="steering"') : text.index('id="activations"')]
    for said in ("a beach", "an umbrella", "random feature", "Set to 8", "switched off"):
        assert said in steering


def test_the_page_leads_to_its_event_and_to_its_neighbours(client, finding, store, links):
    store.put(finding_of(117, run=RUN))
    store.put(finding_of(130, run=RUN))
    found = links(client.get(f"/findings/{finding.id}").text)
    assert f"/runs/{RUN}#0/118.2.2" in found
    assert {"/features/coder/117", "/features/coder/130"} <= set(found)


def test_history_tells_what_changed_and_which_finding_stands(client, store, finding):
    store.begin("0305-again", "again?", PROVENANCE, pid=os.getpid())
    made = PROVENANCE.model_copy(update={"models": {"judge": "another"}})
    later = finding_of(
        run="0305-again", label="umbrella", at=finding.at.replace(hour=13), provenance=made
    )
    store.put(later)
    stands = client.get("/features/coder/118").text
    assert "<h1>umbrella</h1>" in stands
    assert "<del>red umbrella</del> <ins>umbrella</ins>" in stands
    assert "models: judge" in stands
    assert "A later finding is about this feature" in client.get(f"/findings/{finding.id}").text
    assert changes(later, later) == ()


def test_what_people_think_stands_beside(client, store, finding):
    store.judge(
        Verdict(finding=finding.id, reviewer="b", score=2, tags=("too broad",), note=ATTACK)
    )
    text = client.get(f"/findings/{finding.id}").text
    assert "2 of 5" in text
    assert "too broad" in text


def test_nothing_that_models_or_people_wrote_is_markup(client, store, finding):
    store.judge(Verdict(finding=finding.id, reviewer=ATTACK, score=2, note=ATTACK))
    text = client.get(f"/findings/{finding.id}").text
    assert "&lt;script&gt;" in text
    for one in (ATTACK, " style=", "onclick=", "<script>"):
        assert one not in text


@pytest.mark.usefixtures("finding")
def test_evidence_that_is_gone_is_told(client, store):
    store.put(finding_of(200, run=RUN, artefact=NOWHERE, status="no explanation", label=None))
    text = client.get("/features/coder/200").text
    assert "The evidence is not here any more" in text
    assert "Feature 200" in text


@pytest.fixture
def behaviour(store, finding):
    """A behaviour with a recipe, found in the same run."""
    recipe = put(store, {"version": 1, "interventions": [{"feature": 118, "kind": "scale"}]})
    tried = {"interventions": [{"feature": 118, "kind": "scale", "value": 0.5, "where": "image"}],
             "removed": 0.4, "harm": 0.01, "questions": 90}  # fmt: skip
    counts = [
        Counts(name=name, n=40, better=better, same=39 - better, worse=1, p=0.01, right_before=20,
               right_after=19 + better)
        for name, better in (("recipe", 12), ("random feature 1", 2))
    ]  # fmt: skip
    made = behaviour_of(
        run=finding.run, recipe=recipe, tried=(tried,), sealed=tuple(counts),
        side_effects=(counts[1],),
        culprits=(Culprit(feature=118, label="red umbrella", by_image=0.5, by_text=-0.1,
                          separability=0.8),),
    )  # fmt: skip
    store.put(made)
    return made


def test_a_behaviour_shows_its_recipe_beside_all_controls(client, behaviour):
    text = client.get(f"/findings/{behaviour.id}").text
    for said in (
        "sees umbrellas on beaches", "is there an umbrella?", "70 % of 40", "random feature 1",
        "scale 118 0.5 at the image: 40% mended, 1.0% lost", "/features/coder/118", "Side effects",
        f"lmmscope steer --recipe {behaviour.recipe[:12]}",
    ):  # fmt: skip
        assert said in text
    assert client.get(f"/findings/{behaviour.id}/activations").status_code == 404


def test_a_recipe_is_downloaded_and_nothing_else_is(client, store, behaviour, picture):
    reply = client.get(f"/exports/recipes/{behaviour.recipe}.json")
    assert reply.json()["interventions"][0]["feature"] == 118
    assert reply.headers["content-disposition"].startswith("attachment")
    for name in (picture, NOWHERE, put(store, {"label": "x"})):
        assert client.get(f"/exports/recipes/{name}.json").status_code == 404


def test_cells_are_packed_as_shares_of_the_peak():
    fine = struct.unpack("<4H", b64decode(packed(((0.0, 1e-9), (2.0, 4.0)), 4.0)))
    assert fine == (0, 1, (FINEST + 1) // 2, FINEST)
    assert outline(((0.0, 1.0),), 0.0) == "M1 0h1v1h-1z"


def test_charts_lie_within_their_axes():
    plot = interval_plot(2.0, -1.0, 3.0, Scale(0.0, 1.0), bar=0.5)
    assert (plot.own.low, plot.own.at, plot.own.high, plot.needed) == (0.0, 200.0, 200.0, 100.0)
    chart = histogram(bars_of([1.0, 1.1, 8.0]), level=2.0)
    assert chart is not None
    assert [column.height for column in chart.columns if column.height] == [120.0, 60.0]
    assert chart.level is not None
    assert 0 < chart.level.x < 640
    assert histogram(bars_of([]), 0.0) is None
    assert sweep([]) is None
    swept = sweep([Setting("nothing", 0.0, 0.0, 9)])
    assert swept is not None
    (dot,) = swept.dots
    assert (dot.x, dot.y) == (0.0, 120.0)


def test_in_a_browser_tabs_and_masks_are_changed_by_keyboard(page, address, finding, store):
    store.put(finding_of(130, run=RUN))
    here = address.replace("/runs", f"/findings/{finding.id}")
    page.goto(here)
    drawn = page.locator(".tab:not([hidden]) .sighting canvas")
    assert drawn.count() == 1
    assert page.locator(".tab:not([hidden])").count() == 1
    lit = """canvas => [...canvas.getContext("2d").getImageData(0, 0, 48, 48).data]
      .filter(one => one).length"""
    heat = drawn.first.evaluate(lit)
    page.keyboard.press("m")
    assert page.get_by_label("Outline").is_checked()
    assert drawn.first.evaluate(lit) != heat
    page.get_by_role("slider").fill("1000")
    assert "4.00, 100.0 % of the peak" in page.locator("[data-told]").inner_text()
    page.get_by_role("button", name="own level").click()
    assert "2.00, 50.0 %" in page.locator("[data-told]").inner_text()
    page.get_by_role("tab").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", selected=True).inner_text().startswith("Silent")
    assert page.locator("#tab-silent").is_visible()
    assert page.locator("#tab-mean").is_hidden()
    page.keyboard.press("j")
    page.wait_for_url("**/features/coder/130")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_finding_is_wider_than_the_screen(page, address, finding, behaviour, width):
    page.set_viewport_size({"width": width, "height": 800})
    for one in (finding, behaviour):
        page.goto(address.replace("/runs", f"/findings/{one.id}"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
