"""The four prompts: short enough for a small model, and true to the replies they promise."""

import re

import pytest

from prompts import load

EXPECTED = {
    # name: role, most words, variables
    "explain": ("explainer", 90, set()),
    "refine": ("explainer", 60, {"description"}),
    "categorise": ("explainer", 60, {"description"}),
    "judge": ("judge", 40, {"explanation"}),
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


@pytest.mark.parametrize(
    "name", [name for name, (_, _, variables) in EXPECTED.items() if variables]
)
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
    ],
)
def test_output_tells_good_replies_from_bad_ones(name, reply, good):
    assert bool(re.fullmatch(load(name).output, reply)) == good


def test_categorise_knows_the_classes_of_the_paper_and_four_more():
    assert set(CLASSES) == PAPER | {"text", "emotion", "abstract", "low-level"}


@pytest.mark.parametrize("kind", CLASSES)
def test_categorise_offers_every_class_that_it_accepts(kind):
    assert re.search(rf"\b{kind}\b", load("categorise").body)
