"""The command from a local copy to its report, on a tiny random model."""

import json
import sys

import pytest

from benchmarks.hallucination import chair, hallusion, pope
from benchmarks.hallucination.__main__ import entries
from benchmarks.paper import bench as place
from sae_core.steering.plan import Intervention
from tools.recipe import recipe_of


@pytest.fixture
def command(bench, tmp_path, monkeypatch, capsys):
    """Runs a benchmark, and gives the report."""
    monkeypatch.setattr(place, "lab_alone", lambda _: bench.lab)

    def run(module, *words):
        runs = ("--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "out"))
        monkeypatch.setattr(sys, "argv", ["it", *runs, "--json", *map(str, words)])
        module.main()
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def copy(tmp_path, lines, draw):
    """Two pictures of COCO's with what POPE and CHAIR need."""
    folder = tmp_path / "copy"
    names = [f"COCO_val2014_{number:012}.jpg" for number in (1, 2)]
    for seed, name in enumerate(names):
        draw(folder / "val2014" / name, seed)
    asked = [
        {"question_id": at, "image": name, "text": "is this red", "label": label}
        for at, (name, label) in enumerate(zip(names, ("yes", "no"), strict=True))
    ]
    for category in pope.CATEGORIES:
        lines(folder / f"coco_pope_{category}.json", asked)
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    about = [{"image_id": number, "category_id": 1, "caption": "a dog"} for number in (0, 1)]
    for kind, more in (("instances", {"categories": [{"id": 1, "name": "cat"}]}), ("captions", {})):
        document = {"images": images, "annotations": about, **more}
        (folder / f"{kind}_val2014.json").write_text(json.dumps(document))
    return folder


def kept_of(tmp_path, name):
    lines = (tmp_path / "runs" / "hallucination" / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line)["key"] for line in lines]


def test_a_copy_is_measured_with_and_without_a_recipe(command, copy, bench, tmp_path):
    written = Intervention(feature=3, kind="clamp", value=200.0, where="question")
    path = tmp_path / "recipe.json"
    recipe_of(bench.lab.seeing, (written,)).save(path)
    told = command(pope, "--data", copy, "--recipe", path)
    assert set(told["command"].split(" --")[1:]) == {f"data {copy}", f"recipe {path}"}
    assert [table["title"] for table in told["tables"]] == [
        *(f"{name} (2 questions)" for name in pope.CATEGORIES),
        "all (6 questions)",
        "What the recipe changed: answers",
    ]
    changes = {row["name"]: row["cells"] for row in told["tables"][-1]["rows"]}
    cells = changes["all"]
    assert cells["better"] + cells["same"] + cells["worse"] == 6
    # The categories ask the same: two questions, in two ways.
    assert len(set(kept_of(tmp_path, "pope"))) == len(kept_of(tmp_path, "pope")) == 4
    again = command(pope, "--data", copy, "--recipe", path)
    assert again["tables"] == told["tables"]
    assert len(kept_of(tmp_path, "pope")) == 4


def test_captions_of_a_copy_are_measured(command, copy, tmp_path, monkeypatch):
    monkeypatch.setattr(chair, "COCO_TOKENS", 4)
    told = command(chair, "--data", copy)
    (table,) = told["tables"]
    assert {row["name"] for row in table["rows"]} == {"CHAIRi", "CHAIRs", "recall"}
    assert any("2 pictures in the copy" in note for note in told["notes"])
    assert len(kept_of(tmp_path, "chair")) == 2


def test_a_recipe_for_another_coder_is_refused_before_anything_is_asked(
    command, copy, bench, tmp_path
):
    made = recipe_of(bench.lab.seeing, (Intervention(feature=3, kind="ablate"),))
    path = tmp_path / "recipe.json"
    made.model_copy(update={"coder": "another"}).save(path)
    with pytest.raises(SystemExit, match=r"^This recipe is for the coder another"):
        command(pope, "--data", copy, "--recipe", path)
    assert not (tmp_path / "runs" / "hallucination").exists()


def test_what_a_folder_lacks_is_told_in_one_line(command, tmp_path):
    (tmp_path / "empty").mkdir()
    for module, name in (
        (pope, "random"),
        (hallusion, "HallusionBench.json"),
        (chair, "instances"),
    ):
        with pytest.raises(SystemExit) as ended:
            command(module, "--data", tmp_path / "empty")
        assert name in str(ended.value)
        assert "\n" not in str(ended.value)


def test_no_questions_at_all_are_refused(command, capsys):
    with pytest.raises(SystemExit):
        command(pope, "--questions", "0")
    assert "'0' is no number of questions" in capsys.readouterr().err


def test_all_three_are_listed_with_what_they_take():
    listed = dict(entries())
    assert len(listed) == 3
    assert all("[--recipe FILE]" in call and "[--json]" in call for call in listed.values())
