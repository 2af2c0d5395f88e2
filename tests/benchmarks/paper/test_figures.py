"""The gallery: pages that hold together, and figures that say so where there is nothing to show."""

import asyncio

import numpy as np
import pytest
from PIL import Image

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures import concepts, emotions, hallucination, low_level, steering
from benchmarks.paper.figures.__main__ import Drawing, draw, told
from benchmarks.paper.figures.blocks import (
    Card,
    Heading,
    Note,
    Reply,
    Strip,
    Talk,
    Title,
    Words,
)
from benchmarks.paper.figures.canvas import BORDER, FINE, PAPER, Page
from benchmarks.paper.figures.figure import (
    Figure,
    check_places,
    enlarged,
    evidence_of,
    lit,
    one_each,
)
from benchmarks.paper.figures.invariants import Sighted, answering_to_both, at_names
from benchmarks.paper.known import Known, best_of
from benchmarks.paper.writing import written
from lmmscope.settings import load_settings
from tests.benchmarks.paper.erring import lab_that_errs
from tests.sae_core.small_models import noise
from tests.tools.small_lab import small_lab
from tools.failures import WontWork

LONG = "a rather long line of words that has to go on below " * 6
BLOCKS = (
    Title("A title", LONG),
    Heading("what", "beside it"),
    Strip(tuple(Card(noise(24, 24, n), f"{n}", "peak 9.99") for n in range(5))),
    Talk("what is it?", (Reply("nothing written", LONG), Reply("feature 7 at 50", "a cat."))),
    Words("all features", ("is", "this", "a", "cactus", "?"), (0.0, 0.1, -0.2, 2.0, -1.0), 2.0),
    Note(LONG),
)


@pytest.fixture
def bench(tmp_path):
    return Bench(load_settings("toybox"), small_lab(tmp_path), 0)


def inked(picture):
    return (np.asarray(picture.convert("RGB")) != np.array(PAPER)).any(2)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: type(one).__name__)
def test_a_block_stays_within_its_height_and_the_margins(block):
    inked_HW = inked(Page((block,)).drawn())
    margin = BORDER * FINE - 2
    for edge in (inked_HW[:, :margin], inked_HW[:, -margin:]):
        assert not edge.any()
    # Letters may hang a little below the line that they stand on.
    assert not inked_HW[: margin - 2].any()
    assert not inked_HW[-(margin - 4 * FINE) :].any()
    assert inked_HW.any()


def test_small_things_keep_their_colours_in_a_saved_page(tmp_path):
    """A palette once turned a pink umbrella beige."""
    picture = Image.effect_noise((96, 96), 90).convert("RGB")
    pink = (230, 90, 160)
    picture.paste(pink, (40, 40, 52, 52))
    Page((Strip((Card(picture),)),)).save(tmp_path / "page.png")
    saved = np.asarray(Image.open(tmp_path / "page.png").convert("RGB"), int)
    assert (saved == np.array(pink)).all(2).sum() > 500


def test_of_each_label_the_best_known_feature_is_shown():
    rows = [(4, "cat"), (2, "dog"), (9, "cat")]
    some = [Known(f, label, "object", "the renderer", 1.0) for f, label in rows]
    assert [one.feature for one in one_each(some)] == [4, 2]


def test_what_the_renderer_knows_is_not_said_of_another_coders_features(bench):
    assert best_of(bench) == []


@pytest.mark.parametrize("module", [concepts, emotions, steering])
def test_a_figure_without_known_features_says_so_and_has_no_page(bench, module):
    made = asyncio.run(module.figure(bench))
    assert made.page is None
    assert "--runs" in made.text[0]
    page = told([made], "toybox", "python -m x")
    assert "![" not in page
    assert made.text[0] in page


def test_a_story_counts_only_where_the_stand_in_does_not_name_it_too(bench):
    lab, some = bench.lab, [Known(f, "cat", "object", "the renderer", 1.0) for f in (3, 7, 11)]
    strengths = {one.feature: 60.0 for one in some}
    done = written(
        lab, strengths, "paper", "what", tokens=4, controls=("random_feature",), fluency=True
    )

    def says(text, outcome):
        return outcome.model_copy(update={"text": text, "perplexity": float(len(text))})

    own, others = done.steered.entries, done.steered.controls
    texts = ("a big cat", "a cat", "a dog"), ("no", "a cat", "no")
    told_now = done.steered.model_copy(
        update={
            "entries": tuple(map(says, texts[0], own)),
            "controls": tuple(map(says, texts[1], others)),
        }
    )
    fit = steering.telling(some, done._replace(steered=told_now))
    assert [(one.known.feature, one.at) for one in fit] == [(3, 0)]


def test_the_commonest_features_are_active_on_nearly_all_pictures(bench):
    lab, numbers = bench.lab, list(range(8))
    found = low_level.commonest(lab, numbers)
    for one in found:
        active_N = (one.map_NRC > 0).any((1, 2))
        assert active_N.mean() == pytest.approx(one.pictures)
        assert one.pictures >= low_level.NEARLY
    cells = [one.cells for one in found]
    assert cells == sorted(cells, reverse=True)


def test_properties_of_cells_are_those_of_the_place():
    upper = Image.new("RGB", (24, 24), "black")
    upper.paste((250, 10, 10), (0, 0, 24, 12))
    plain = low_level.properties([upper], (6, 6))
    height, red = plain["height in the picture"], plain["redness"]
    assert np.corrcoef(height, red)[0, 1] > 0.8
    assert plain["brightness"].reshape(6, 6)[0, 0] == pytest.approx(90, abs=1)
    assert not plain["blueness"].reshape(6, 6)[3:].any()


def test_a_feature_is_read_at_its_own_name_and_at_the_others(bench):
    some = [
        Known(3, "cat", "object", "the renderer", 1.0),
        Known(5, "red color", "color", "the renderer", 1.0),
        Known(9, "unheard", "object", "the renderer", 1.0),
    ]
    words, spoken = at_names(bench.lab, some)
    assert words == ["cat", "red"]
    assert {one.known.feature: words[one.own] for one in spoken} == {3: "cat", 5: "red"}
    for one in spoken:
        assert one.at_own == one.value_W[one.own]
        (other,) = (value for at, value in enumerate(one.value_W) if at != one.own)
        assert one.elsewhere == float(other >= 1)


@pytest.fixture
def drawings(monkeypatch):
    """One figure that is made, and one that lacks something."""

    async def made(_):
        return Figure("shown", "Shown", "Figure 1", Page(BLOCKS[:2]), ("Chosen by chance.",))

    async def lacking(_):
        raise WontWork("There is no set of questions. Bring one")

    for drawing in (Drawing("Shown", "Figure 1", made), Drawing("Lacking", "Figure 2", lacking)):
        monkeypatch.setitem(draw.__globals__["FIGURES"], drawing.title.lower(), drawing)


@pytest.mark.usefixtures("drawings")
def test_the_page_is_written_beside_its_pictures(bench, tmp_path):
    asyncio.run(draw(bench, ["shown"], tmp_path / "out", "python -m x"))
    text = (tmp_path / "out" / "gallery.md").read_text()
    assert "![Shown](shown.png)" in text
    assert "Chosen by chance." in text
    assert (tmp_path / "out" / "shown.png").stat().st_size > 500


@pytest.mark.usefixtures("drawings")
def test_a_figure_that_lacks_something_leaves_the_others_alone(bench, tmp_path, capsys):
    asyncio.run(draw(bench, ["lacking", "shown"], tmp_path, "python -m x"))
    text = (tmp_path / "gallery.md").read_text()
    line = "There is no set of questions. Bring one"
    assert f"## Lacking (Figure 2)\n\nLeft out: {line}" in text
    assert "![Shown](shown.png)" in text
    assert f"left out lacking: {line}\n" in capsys.readouterr().err


@pytest.mark.usefixtures("drawings")
def test_what_no_figure_has_is_told_instead_of_a_page(bench, tmp_path):
    with pytest.raises(WontWork, match="Bring one"):
        asyncio.run(draw(bench, ["lacking"], tmp_path, "python -m x"))
    assert not (tmp_path / "gallery.md").exists()


def test_without_places_in_the_picture_nothing_is_darkened(bench):
    evidence = asyncio.run(evidence_of(bench, 3))
    sighting = evidence.sightings[0]
    plain = enlarged(bench.lab.picture("explore", sighting.picture))
    cells = evidence.grid[0] * evidence.grid[1]
    rowed = evidence.model_copy(update={"grid": (1, cells)})
    assert lit(bench, rowed, sighting) == plain
    assert lit(bench, evidence, sighting) != plain
    with pytest.raises(WontWork, match=f"through {cells} queries that have no place"):
        check_places(bench.lab, rowed.grid)


def test_a_feature_of_a_word_and_its_thing_fires_on_either_and_hardly_elsewhere():
    """One fires on both, one on all pictures, one on the thing alone, one where both are."""
    read_N, seen_N = np.arange(60) % 3 == 0, np.arange(60) % 4 == 0
    fires_NF = np.stack([read_N | seen_N, np.ones(60, bool), seen_N, read_N & seen_N], axis=1)
    few_N = np.arange(60) < 3
    found, looked = answering_to_both(
        fires_NF, {"fish": Sighted(read_N, seen_N), "boat": Sighted(few_N, seen_N)}
    )
    assert looked == ["fish"]
    assert [(one.feature, one.read, one.seen, one.neither) for one in found] == [(0, 1, 1, 0)]


def test_a_hallucination_is_attributed_and_answered_with_features_written_in(tmp_path):
    lab = lab_that_errs(tmp_path)
    made = asyncio.run(hallucination.figure(Bench(load_settings("toybox"), lab, 0)))
    assert made.page is not None
    (talk,) = (block for block in made.page.blocks if isinstance(block, Talk))
    assert talk.replies[0].who == "nothing written"
    lines = [block for block in made.page.blocks if isinstance(block, Words)]
    assert lines[0].who.startswith("all features")
    assert "by chance one of 8" in made.text[0]
