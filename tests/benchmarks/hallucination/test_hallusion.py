"""HallusionBench: published layouts, published measures, and the toybox's twins."""

import json

import numpy as np
import pytest

from benchmarks.hallucination.hallusion import Hallusion, Posed, measures
from benchmarks.hallucination.hallusion_data import posed_in
from benchmarks.hallucination.hallusion_toybox import ASKED, KINDS, posed
from sae_core.errors import UserError


def entry(category, kind, figure, number, answer, shown="1"):
    name = f"./hallusion_bench/{category}/{kind}/0_{figure}.png" if shown != "0" else None
    return {
        "category": category,
        "subcategory": kind,
        "visual_input": shown,
        "set_id": "0",
        "figure_id": figure,
        "sample_note": "note",
        "question_id": number,
        "question": f"Is this {number}?",
        "gt_answer_details": "It is.",
        "gt_answer": answer,
        "filename": name,
    }


ENTRIES = [
    entry("VD", "illusion", "0", "0", "1"),
    entry("VD", "illusion", "0", "1", "0"),
    entry("VD", "illusion", "1", "0", "0"),
    entry("VD", "illusion", "1", "1", "1"),
    entry("VS", "map", "0", "0", "1", shown="0"),
    entry("VS", "map", "1", "0", "0", shown="2"),
]
SAID = ["Yes.", "No.", "Yes", "Yes, it is.", "I can't tell.", "no"]
"""Wrong in the third; the fifth can't be read."""


@pytest.fixture
def repository(tmp_path, draw):
    """As in the repository, with the unpacked pictures."""
    (tmp_path / "HallusionBench.json").write_text(json.dumps(ENTRIES))
    for seed, name in enumerate(("VD/illusion/0_0", "VD/illusion/0_1", "VS/map/0_1")):
        draw(tmp_path / "hallusion_bench" / f"{name}.png", seed)
    return tmp_path


def test_the_repositorys_layout(repository):
    found = posed_in(repository)
    assert [one.yes for one in found] == [True, False, False, True, True, False]
    assert [one.picture is None for one in found] == [False] * 4 + [True, False]
    assert found[0].picture is found[1].picture
    assert len({one.picture.digest for one in found if one.picture}) == 3


def test_the_hubs_layout_is_the_same(repository, tmp_path, table):
    shown = [{**one, "image": at // 2} for at, one in enumerate(ENTRIES) if one["filename"]]
    table(tmp_path / "hub" / "data" / "image-00000-of-00001.parquet", shown)
    bare = [{**one, "image": None} for one in ENTRIES if not one["filename"]]
    table(tmp_path / "hub" / "data" / "non_image-00000-of-00001.parquet", bare)
    found = posed_in(tmp_path / "hub")
    apart = sorted(found, key=lambda one: (one.category, one.figure_id, one.question_id))
    expected = [one._replace(picture=None) for one in posed_in(repository)]
    assert [one._replace(picture=None) for one in apart] == expected
    assert [one.picture is None for one in apart] == [False] * 4 + [True, False]
    assert apart[0].picture.digest == posed_in(repository)[0].picture.digest


def test_what_is_missing_is_named_in_one_line(repository):
    (repository / "hallusion_bench" / "VS" / "map" / "0_1.png").unlink()
    with pytest.raises(UserError, match=r"no picture VS/map/0_1\.png.*hallusion_bench\.zip"):
        posed_in(repository)
    (repository / "HallusionBench.json").write_text('[{"category": "VD"}]')
    with pytest.raises(UserError, match=r"HallusionBench\.json: 0\.subcategory: Field required"):
        posed_in(repository)
    (repository / "HallusionBench.json").unlink()
    with pytest.raises(UserError, match=r"has no HallusionBench\.json.*tianyi-lab") as told:
        posed_in(repository)
    assert "\n" not in str(told.value)


def test_an_answer_that_is_neither_0_nor_1_is_refused(repository):
    (repository / "HallusionBench.json").write_text(json.dumps([{**ENTRIES[0], "gt_answer": "2"}]))
    with pytest.raises(UserError, match="'2' is neither 0 nor 1"):
        posed_in(repository)


def test_the_measures_are_those_worked_out_by_hand(repository):
    task = Hallusion(posed_in(repository), (), None, 0)
    assert task.right_N(SAID).tolist() == [True, True, False, True, False, True]
    (everything, dependent, supplement, kinds) = task.groups(SAID, 0)
    assert {name: one.value for name, one in everything.cells.items()} == pytest.approx(
        {
            "aAcc": 4 / 6,
            "qAcc": 1 / 3,  # of VD 0, VD 1, VS 0
            "fAcc": 2 / 3,  # of VD 0, VD 1, VS 1: the bare one is no figure
            "easy": 2 / 3,
            "hard": 2 / 3,
            "unreadable": 1 / 6,
        }
    )
    assert dependent.cells["qAcc"].value == pytest.approx(1 / 2)
    assert supplement.cells["fAcc"].value == 1
    assert {name: one.value for name, one in kinds.cells.items()} == {
        "VD illusion (4)": 3 / 4,
        "VS map (2)": 1 / 2,
    }
    assert task.remarks(SAID)[0].startswith("1 unreadable replies to questions without a figure")


def test_hard_questions_are_right_on_all_edited_figures():
    four = [Posed("VD", "k", "0", str(figure), "0", None, "?", True) for figure in range(4)]
    right, all_clear = np.array([True, True, False, True]), np.ones(4, bool)
    found = measures(four, right, all_clear, np.zeros(4, int), 0)
    values = [found[name].value for name in ("aAcc", "easy", "hard")]
    assert values == [3 / 4, 1, 0]


def test_each_toybox_question_flips_between_the_twins():
    found = posed(3, 12 * len(KINDS))
    for at in range(0, len(found), ASKED):
        one, other, edited, edited_other = found[at : at + ASKED]
        assert (one.question, other.question) == (edited.question, edited_other.question)
        assert [each.yes for each in (one, other, edited, edited_other)] == [
            True, False, False, True,
        ]  # fmt: skip
        assert one.family == edited.family
        assert one.picture.digest == other.picture.digest != edited.picture.digest
    assert {one.subcategory for one in found} == set(KINDS)
    sets = len({one.family for one in found})
    assert sets == len(found) // ASKED


def test_a_toybox_seed_always_asks_the_same():
    def told(seed):
        return [(one.question, one.yes, one.picture.digest) for one in posed(seed, 28)]

    assert told(1) == told(1) != told(2)
