"""A report: the same numbers on the terminal, as Markdown, as JSON and in the chart."""

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.paper.averaging import by_chance, over
from benchmarks.paper.chart import COLOURS
from benchmarks.paper.plotting import Line, Panel, Spot, axis
from benchmarks.paper.published import Given
from benchmarks.paper.report import Report, Row, Series, Table, markdown, publish, told
from sae_core.scoring.estimate import Estimate
from sae_core.scoring.resampling import SHARE

OURS = Estimate(value=0.31, low=0.25, high=0.4, n=40)


def report(**cells):
    series = (
        Series(column="ours", name="ours"),
        Series(column="paper", name="the paper", hollow=True),
        Series(column="null", name="null", kind="null"),
    )
    row = Row(name="scene", cells={"n": 40, "ours": OURS, **cells})
    columns = ("n", "ours", "paper", "null")
    table = Table(title="IoU", columns=columns, rows=(row,), series=series)
    return Report(name="t", title="A table", command="do it", tables=(table,), notes=("why",))


@pytest.mark.parametrize(
    ("cell", "digits", "words"),
    [
        (None, 2, "-"),
        (OURS, 2, "0.31 (0.25 to 0.40)"),
        (Given(value=0.2), 3, "0.20"),
        (Given(value=0.005, half=2e-4), 3, "0.005 ± 0.0002"),
        (Given(value=22.82), 1, "22.82"),
        (Given(value=0.0006), 2, "0.0006"),
        (1.0, 1, "1.0"),
        (7, 2, "7"),
        ("a | b", 2, "a \\| b"),
    ],
)
def test_a_cell_in_words(cell, digits, words):
    assert told(cell, digits) == words


def test_all_files_hold_what_is_printed(tmp_path, capsys):
    made = report(paper=Given(value=0.2), null=0.01)
    publish(made, tmp_path)
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "t.md").read_text() == markdown(made)
    assert "| scene | 40 | 0.31 (0.25 to 0.40) | 0.20 | 0.01 |" in printed
    document = json.loads((tmp_path / "t.json").read_text())
    assert document["tables"][0]["rows"][0]["cells"]["ours"]["low"] == 0.25
    assert document["notes"] == ["why"]


def test_json_is_printed_where_it_is_asked_for(tmp_path, capsys):
    publish(report(), tmp_path, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "t.json").read_text())


def test_the_chart_shows_what_there_is_and_nothing_else(tmp_path):
    def pixels(**cells):
        publish(report(**cells), tmp_path)
        with Image.open(tmp_path / "t.png") as picture:
            found = np.asarray(picture.convert("RGB"), np.int64)
        # Below the legend, which has a mark of each kind; edges are mixed with the ground.
        return {
            kind: int((np.abs(found[140:] - colour).sum(-1) < 90).sum())
            for kind, colour in COLOURS.items()
        }

    alone, beside = pixels(), pixels(null=0.1)
    assert alone["ours"] > 0
    # Letters are grey at their edges, too.
    assert alone["null"] + 100 < beside["null"]
    # The paper's ring is drawn in the colour of what it stands beside.
    assert beside["ours"] + 100 < pixels(null=0.1, paper=Given(value=0.2))["ours"]


def test_what_was_printed_shares_the_line_of_what_it_stands_beside():
    lines = tuple(
        Line(name, kind, hollow, (Spot(1, 1, 1),))
        for name, kind, hollow in (
            ("a", "ours", False), ("b", "ours", True), ("c", "null", False), ("d", "null", True)
        )
    )  # fmt: skip
    assert Panel("p", ("row",), lines).lanes == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.005, 0.48, (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        (18.0, 27.0, (18, 20, 22, 24, 26, 28)),
        (0.2, 0.2, None),
    ],
)
def test_an_axis_has_round_ticks_around_everything(low, high, ticks):
    found = axis([Line("a", "ours", False, (Spot(low, low, high), None))])
    assert found.ticks[0] <= low <= high <= found.ticks[-1]
    assert found.ticks[0] < found.ticks[-1]
    if ticks:
        assert found.ticks == pytest.approx(ticks)


def test_the_interval_of_chance_is_the_papers():
    trials = [[0.1, 0.3] * 5, [0.3, 0.5] * 5]
    found = by_chance(trials)
    assert found is not None
    runs = np.mean(trials, 0)
    half = 3.25 * runs.std(ddof=1) / 10**0.5
    assert (found.value, found.n) == (pytest.approx(0.3), 10)
    assert (found.low, found.high) == (pytest.approx(0.3 - half), pytest.approx(0.3 + half))
    assert by_chance([]) is None


def test_no_values_have_no_mean():
    assert over([], SHARE, 0) is None
