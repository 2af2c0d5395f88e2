"""The prompts: short enough for a small model, and true to the replies they promise."""

import re

import pytest

from prompts import load

EXPECTED = {
    # name: role, most words, variables
    "explain": ("explainer", 90, set()),
    "refine": ("explainer", 60, {"description"}),
    "categorise": ("explainer", 60, {"description"}),
    "judge": ("judge", 40, {"explanation"}),
    "hypotheses": ("explainer", 120, {"most"}),
    "contrast": ("explainer", 120, {"firing", "silent"}),
    "verbalise": ("target", 10, set()),
    "describe": ("describer", 10, set()),
    "repair": ("any", 30, {"fault"}),
    "edit": ("editor", 12, {"change", "concept"}),
}
PAPER = {"scene", "object", "part", "material", "texture", "color"}
CLASSES = load("categorise").output.split("|")


@pytest.mark.parametrize("name", EXPECTED)
def test_role_length_and_variables(name):
    role, most, variables = EXPECTED[name]
    prompt = load(name)
    assert prompt.role == role
    assert len(prompt.body.split()) <= most
    assert prompt.variables == variables


@pytest.mark.parametrize("name", ["refine", "categorise", "judge"])
def test_the_variable_part_comes_last(name):
    """A server then reuses what it computed for the part that all prompts of a kind share."""
    assert load(name).body.endswith("}}")
    assert load(name).body.count("{{") == 1


@pytest.mark.parametrize(
    ("name", "reply", "good"),
    [
        ("explain", "[EXPLANATION]: red cars", True),
        ("explain", "[EXPLANATION]: Unable to produce descriptions", True),
        ("explain", "red cars", False),
        ("refine", "[ANSWER] red cars", True),
        ("refine", "Unable to produce descriptions", True),
        ("refine", "red cars", False),
        ("judge", "1", True),
        ("judge", "0", True),
        ("judge", "10", False),
        ("judge", "yes", False),
        ("categorise", "colour", False),
        ("categorise", "color", True),
        ("categorise", "low-level", True),
        ("hypotheses", "[HYPOTHESIS] red cars", True),
        ("hypotheses", "Unable to produce descriptions", True),
        ("hypotheses", "red cars", False),
        ("contrast", "[EXPLANATION]: red cars", True),
        ("contrast", "[EXPLANATION]: Unable to produce descriptions", True),
        ("contrast", "Unable to produce descriptions", False),
        ("verbalise", "a red car", True),
        ("verbalise", "", False),
    ],
)
def test_output_tells_good_replies_from_bad_ones(name, reply, good):
    assert bool(re.fullmatch(load(name).output, reply)) == good


def test_categorise_knows_the_classes_of_the_paper_and_four_more():
    assert set(CLASSES) == PAPER | {"text", "emotion", "abstract", "low-level"}


@pytest.mark.parametrize("kind", CLASSES)
def test_categorise_offers_every_class_that_it_accepts(kind):
    assert re.search(rf"\b{kind}\b", load("categorise").body)


def test_contrast_asks_for_the_same_form_as_explain():
    assert load("contrast").output == load("explain").output


@pytest.mark.parametrize("name", ["hypotheses", "contrast"])
def test_the_papers_rules_hold_in_every_question_about_masked_pictures(name):
    """Bright regions only, specks ignored, no interpretation, and a way to say: nothing."""
    body = load(name).body
    for rule in ("bright regions", "scattered specks", "do not interpret", "Unable to produce"):
        assert rule in body
