"""POPE: published layouts, published measures, and what the toybox asks instead."""

import json
import sys

import numpy as np
import pytest

from benchmarks.hallucination import pope
from benchmarks.hallucination.pope import CATEGORIES, Pope, measures
from benchmarks.hallucination.pope_data import probes_in
from benchmarks.hallucination.pope_toybox import asking, frequencies, probes
from sae_core.errors import UserError
from toybox.tags import scene_of, tagged
from toybox.vocabulary import OBJECTS
from toybox.world import BIAS
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

NAMES = ("COCO_val2014_000000000001.jpg", "COCO_val2014_000000000002.jpg")


def asked(number, name, label):
    return {
        "question_id": number,
        "image": name,
        "text": f"Is there a dog {number} in the image?",
        "label": label,
    }


@pytest.fixture
def repository(tmp_path, lines, draw):
    """As in POPE's repository, with COCO's pictures beside."""
    for category in CATEGORIES:
        rows = [asked(1, NAMES[0], "yes"), asked(2, NAMES[0], "no"), asked(3, NAMES[1], "no")]
        lines(tmp_path / "output" / "coco" / f"coco_pope_{category}.json", rows)
    for seed, name in enumerate(NAMES):
        draw(tmp_path / "val2014" / name, seed)
    return tmp_path


def test_the_repositorys_layout(repository):
    found = probes_in(repository)
    assert [one.category for one in found] == [name for name in CATEGORIES for _ in range(3)]
    assert [one.there for one in found] == [True, False, False] * 3
    assert found[1].question == "Is there a dog 2 in the image?"
    assert found[0].picture is found[1].picture is found[3].picture
    assert found[0].picture.digest != found[2].picture.digest


def test_the_hubs_layout_has_each_question_once(tmp_path, table):
    rows = [
        {
            "id": str(at),
            "question_id": str(1 + at % 2),
            "question": f"Is there a dog {at % 2} in the image?",
            "answer": ("yes", "no")[at % 2],
            "image_source": NAMES[at % 2],
            "image": at % 2,
            "category": category,
        }
        for at, category in enumerate(["adversarial"] * 2 + ["random"] * 2)
    ]
    table(tmp_path / "data" / "test-00000-of-00001.parquet", rows)
    table(tmp_path / "Full" / "random-00000-of-00001.parquet", rows[2:])
    found = probes_in(tmp_path)
    assert [(one.category, one.there) for one in found] == [
        (name, there) for name in ("random", "adversarial") for there in (True, False)
    ]
    digests = {one.picture_name: one.picture.digest for one in found}
    assert len(set(digests.values())) == 2


def test_what_is_missing_is_named_in_one_line(repository):
    (repository / "val2014" / NAMES[1]).unlink()
    with pytest.raises(UserError, match=rf"no picture {NAMES[1]} .*val2014\.zip"):
        probes_in(repository)
    (repository / "output" / "coco" / "coco_pope_popular.json").unlink()
    with pytest.raises(UserError, match=r"no popular questions of POPE.*RUCAIBox/POPE") as told:
        probes_in(repository)
    assert "\n" not in str(told.value)


def test_a_line_of_another_form_is_named(repository, lines):
    path = repository / "output" / "coco" / "coco_pope_random.json"
    lines(path, [asked(1, NAMES[0], "yes"), {"image": NAMES[0], "label": "yes"}])
    with pytest.raises(UserError, match=r"line 2: text: Field required"):
        probes_in(repository)
    lines(path, [asked(1, NAMES[0], "maybe")])
    with pytest.raises(UserError, match=r"line 1: the answer is 'maybe'"):
        probes_in(repository)


def test_the_measures_are_those_worked_out_by_hand():
    # Two hits, two misses, one false alarm, one right denial; two pictures.
    there, yes = np.array([1, 1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 0, 1, 0], bool)
    found = measures(there, yes, np.array([0, 0, 0, 1, 1, 1]), 0)
    values = {name: one.value for name, one in found.items()}
    assert values == pytest.approx(
        {"accuracy": 1 / 2, "precision": 2 / 3, "recall": 1 / 2, "F1": 4 / 7, "yes": 1 / 2}
    )
    assert all(one.n == 2 and one.low < one.value < one.high for one in found.values())


def test_there_is_no_precision_where_nothing_is_seen():
    found = measures(np.array([True, False]), np.array([False, False]), np.array([0, 1]), 0)
    assert found["precision"] is None
    assert found["recall"].value == found["F1"].value == 0


def test_questions_are_taken_by_whole_pictures(repository):
    task = Pope(probes_in(repository), (), 6, 0)
    assert len({one.picture_name for one in task.probes}) == 1
    assert len(task.asked) in (3, 6)
    assert [part.name for part in task.parts()] == [*CATEGORIES, "all"]


def test_replies_become_tables_by_category(repository):
    task = Pope(probes_in(repository), (), None, 0)
    said = ["Yes.", "Yes, there is.", "There is not."] * 3
    groups = task.groups(said, 0)
    assert [one.name for one in groups][-1] == "all (9 questions)"
    assert groups[0].cells["accuracy"].value == pytest.approx(2 / 3)
    assert groups[0].cells["precision"].value == pytest.approx(1 / 2)
    assert task.remarks(said) == ["3 of 9 replies say neither yes nor no, or both"]


def test_toybox_answers_are_the_renderers():
    found = probes(5, 200)
    usual = 0
    for one in found:
        scene = fresh_scene(5, int(one.picture_name), "natural")
        kinds = {thing.kind for thing in scene.shown}
        (kind,) = [kind for kind in OBJECTS if asking(kind) == one.question]
        assert one.there == (kind in kinds)
        usual += one.category == "adversarial" and kind == BIAS.get(scene.place or "")
    assert usual >= 5
    image = tagged(draw_scene(fresh_scene(5, 0, "natural")))
    assert found[0].picture.read().tobytes() == image.tobytes()
    assert scene_of(found[0].picture.read()) is None  # nobody who is asked is told


def test_toybox_categories_have_the_same_yes_and_as_many_no():
    found = probes(6, 120)
    for name in {one.picture_name for one in found}:
        about = [one for one in found if one.picture_name == name]
        yes = {c: {o.question for o in about if o.there and o.category == c} for c in CATEGORIES}
        no = {c: [o for o in about if not o.there and o.category == c] for c in CATEGORIES}
        assert yes["random"] == yes["popular"] == yes["adversarial"]
        assert {len(each) for each in no.values()} == {len(yes["random"])}


def test_the_usual_object_comes_most_often_with_its_place():
    known = frequencies(600)
    for place, usual in BIAS.items():
        assert known.by_place[place].most_common(1)[0][0] == usual


def test_the_command_on_the_toybox(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    words = ["pope", "--questions", "24", "--out", str(out), "--runs", str(tmp_path), "--json"]
    monkeypatch.setattr(sys, "argv", words)
    pope.main()
    told = json.loads(capsys.readouterr().out)
    assert told["command"] == "python -m benchmarks.hallucination.pope --questions 24"
    rows = {row["name"]: row["cells"] for row in told["tables"][-1]["rows"]}
    # It sees well: only the planted illness makes it err, in a few of these.
    assert rows["accuracy"]["as it is"]["value"] > 0.7
    assert (out / "pope.png").exists()
    assert (out / "pope.md").read_text().startswith("# POPE")


def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path, monkeypatch):
    words = ["pope", "--data", str(tmp_path / "nowhere"), "--runs", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit, match=r"^There is nothing at .*nowhere"):
        pope.main()
