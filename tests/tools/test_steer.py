"""Steering through the tool: rows, controls, recipes and judgements, on a tiny random model."""

import json

import pytest

from sae_core.errors import UserError
from sae_core.steering.controls import CONTROLS
from sae_core.steering.experiment import Steered
from sae_core.steering.plan import Intervention
from tests.tools.conftest import Scripted
from tests.tools.small_lab import FEATURES, small_lab
from tools.failures import WontWork
from tools.recipe import Recipe, load_recipe, recipe_of
from tools.steer import steer

pytestmark = pytest.mark.anyio

QUICK = {"features": [3], "picture": {"number": 1}, "prompt": "what is this", "tokens": 4}


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path)


async def steered(lab, **more):
    return await steer.call(lab, steer.parse(QUICK | more))


async def test_each_strength_stands_beside_each_control(lab):
    found = await steered(lab, strengths=[5, 500], words=["yes"])
    assert [one.strength for one in found.steered] == [5, 500]
    assert [(one.control, one.strength) for one in found.controls] == [
        (control, strength) for control in CONTROLS for strength in (5, 500)
    ]
    assert found.unsteered.strength is None
    assert found.unsteered.changes == {"yes": 0.0}


async def test_a_strong_feature_goes_further_from_the_unsteered_model_than_a_weak_one(lab):
    weak, strong = (await steered(lab, strengths=[0.5, 500], controls=[])).steered
    assert 0 < weak.kl < strong.kl
    assert strong.differs


async def test_the_experiment_is_kept_with_all_its_numbers(lab):
    found = await steered(lab, strengths=[500], controls=["wrong_sign"])
    kept = lab.artefacts.document(found.experiment, Steered)
    assert kept.entries[0].text == found.steered[0].text
    assert sum(kept.entries[0].kl) / len(kept.entries[0].kl) == pytest.approx(found.steered[0].kl)


async def test_ablation_takes_no_strength(lab):
    found = await steered(lab, kind="ablate", controls=["reconstruction"])
    assert [one.strength for one in (*found.steered, *found.controls)] == [None, None]


async def test_a_white_picture_is_as_large_as_those_of_the_split(lab):
    white = await steered(lab, strengths=[1], controls=[], picture="white")
    noise = await steered(lab, strengths=[1], controls=[])
    assert white.unsteered.perplexity != noise.unsteered.perplexity


async def test_a_recipe_does_again_what_it_was_made_of(lab):
    first = (await steered(lab, strengths=[500], controls=[])).steered[0]
    again = {name: QUICK[name] for name in ("picture", "prompt", "tokens")}
    args = steer.parse(again | {"recipe": first.recipe, "controls": []})
    (second,) = (await steer.call(lab, args)).steered
    assert (second.text, second.kl) == (first.text, first.kl)
    assert second.recipe == first.recipe


async def test_a_recipe_of_another_coder_is_refused(lab, tmp_path):
    first = (await steered(lab, strengths=[500], controls=[])).steered[0]
    other = small_lab(tmp_path, seed=1)
    args = steer.parse({"recipe": first.recipe, "prompt": "what"})
    with pytest.raises(WontWork, match="This recipe is for the coder"):
        await steer.call(other, args)


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("coder", "another", "for the coder another"),
        ("model", "another", "for the model another"),
        ("hook", "layers.0", "for the hook layers.0"),
        (
            "interventions",
            (Intervention(feature=FEATURES, kind="ablate"),),
            f"No feature {FEATURES}",
        ),
    ],
)
def test_a_recipe_is_checked_part_by_part(lab, part, value, fault):
    good = recipe_of(lab.seeing, (Intervention(feature=3, kind="clamp", value=5.0),))
    assert good.check(lab.seeing) is good
    with pytest.raises(UserError, match=fault):
        good.model_copy(update={part: value}).check(lab.seeing)


def test_a_recipe_comes_back_from_its_file_as_it_was(lab, tmp_path):
    recipe = recipe_of(
        lab.seeing, (Intervention(feature=3, kind="add", value=5.0, where=(1, 2)),), "paper"
    )
    recipe.save(tmp_path / "fix.json")
    assert load_recipe(tmp_path / "fix.json") == recipe


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "is no recipe: it: Invalid JSON"),
        ('{"version": 2}', "is no recipe: version"),
        (json.dumps({"coder": "c", "model": "m", "hook": "h", "interventions": []}), "at least 1"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(tmp_path, content, fault):
    path = tmp_path / "fix.json"
    path.write_text(content)
    with pytest.raises(UserError, match=fault):
        load_recipe(path)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(UserError, match="can't be read"):
        load_recipe(tmp_path / "none.json")


def test_the_artefact_of_another_kind_is_no_recipe(lab):
    other = lab.artefacts.put(b"{}")
    with pytest.raises(WontWork, match="is no Recipe"):
        lab.artefacts.document(other, Recipe)


def about(request):
    """Longer texts are more about the topic."""
    said = request.messages[0].text.rpartition("Text: ")[2]
    return f"[EFFECT] {min(10, 1 + len(said.split()))}"


async def test_all_replies_are_judged_alike(tmp_path):
    judge = Scripted(*[about] * 20)
    lab = small_lab(tmp_path, judge)
    found = await steered(lab, strengths=[500], topic="cars")
    replies = (found.unsteered, *found.steered, *found.controls)
    assert [one.effect.score for one in replies] == [
        min(10, 1 + len(one.text.split())) for one in replies
    ]
    assert len(judge.asked) == len({one.text for one in replies})


async def test_a_judge_that_does_not_know_the_prompt_gives_no_score(tmp_path):
    judge = Scripted(*["1"] * 60)
    found = await steered(small_lab(tmp_path, judge), strengths=[500], controls=[], topic="cars")
    assert [one.effect.kind for one in found.steered] == ["not judged"]
    assert "effect" in found.steered[0].effect.why


async def test_without_a_topic_nobody_is_asked(lab):
    found = await steered(lab, strengths=[5], controls=[])
    assert found.unsteered.effect.why == "no topic was given"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({}, "need strengths"),
        ({"features": []}, "give features, or a recipe"),
        ({"kind": "ablate", "strengths": [1]}, "ablate takes none"),
        ({"recipe": "0" * 64}, "a recipe says features"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(more, fault):
    with pytest.raises(WontWork, match=fault):
        steer.parse(QUICK | more)


async def test_planted_features_can_not_be_written(make_lab):
    with pytest.raises(WontWork, match="nothing can be written"):
        await steered(make_lab(), strengths=[5])
