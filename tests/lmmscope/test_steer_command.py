"""`lmmscope steer`: a recipe is applied to the target, and told beside what it says without."""

import json

import pytest
from typer.testing import CliRunner

from lmmscope import wiring
from lmmscope.cli import app
from lmmscope.settings import load_settings
from sae_core.steering.plan import Intervention
from tools.recipe import Recipe, recipe_of

QUESTION = "is this a beach?"


@pytest.fixture(scope="module")
def recipe():
    """Writes so much of one feature everywhere that the target can't but say something else."""
    seeing = wiring.observer(load_settings("toybox"))
    return recipe_of(seeing, (Intervention(feature=118, kind="clamp", value=400.0),))


@pytest.fixture
def steer(tmp_path, recipe):
    recipe.save(tmp_path / "recipe.json")

    def invoke(*arguments, given="recipe.json", question=QUESTION):
        known = tmp_path / given if given.endswith(".json") else given
        where = ("--recipe", str(known), "--runs", str(tmp_path / "runs"))
        return CliRunner().invoke(app, ["steer", question, *where, *arguments])

    return invoke


def test_both_answers_are_told_and_the_recipe_is_kept_under_its_id(steer):
    told = steer("--seed", "3", "--json")
    assert told.exit_code == 0, told.stderr
    said = json.loads(told.stdout)
    assert said["unsteered"]["text"] in ("yes", "no")
    assert said["steered"][0]["differs"]
    kept = said["steered"][0]["recipe"]
    by_id = steer("--seed", "3", given=kept[:12])
    assert by_id.exit_code == 0, by_id.stderr
    assert f"steered    {said['steered'][0]['text']}" in by_id.stdout


def test_a_question_alone_means_the_picture_that_the_set_asks_it_about(steer):
    question = wiring.questions("toybox:validate").asked(0).question
    told = steer(question=question)
    assert told.exit_code == 0, told.stderr
    assert "unsteered  yes" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seed", "3", "--picture", "a.png"), "give one picture"),
        (("--picture", "a.png"), "No picture at a.png"),
        ((), "say which picture is meant"),
    ],
)
def test_a_picture_that_is_not_clear_is_asked_for(steer, arguments, said):
    told = steer(*arguments, question="what is the meaning of this?")
    assert told.exit_code != 0
    assert said in " ".join(told.stderr.split())


def test_a_feature_that_is_set_by_hand_leaves_the_recipe_that_does_it_again(steer, tmp_path):
    where = ["--seed", "3", "--runs", str(tmp_path / "runs")]
    words = ["steer", QUESTION, "--feature", "118", "--strength", "400", *where]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.stderr
    (steered,) = (line for line in told.stdout.splitlines() if line.startswith("steered"))
    assert "(the same)" not in steered
    again = steer("--seed", "3", given=told.stdout.split()[-1])
    assert steered in again.stdout


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--feature", "3"],
        ["--recipe", "a.json", "--feature", "3", "--strength", "9"],
        ["--recipe", "a.json", "--mode", "paper"],
    ],
)
def test_what_is_written_has_to_be_clear(given):
    told = CliRunner().invoke(app, ["steer", QUESTION, *given])
    assert told.exit_code != 0
    assert "--recipe FILE, or --feature 3 --strength 50" in told.stderr


def test_a_recipe_for_another_coder_is_refused(steer, recipe, tmp_path):
    Recipe(**{**recipe.model_dump(), "coder": "f" * 64}).save(tmp_path / "other.json")
    told = steer("--seed", "3", given="other.json")
    assert told.exit_code != 0
    assert "This recipe is for the coder ffff" in told.stderr
