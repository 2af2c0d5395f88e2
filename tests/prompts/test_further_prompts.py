"""The prompts beyond the paper's: true to the replies they promise, and short."""

import re

import pytest

from prompts import load

EXPECTED = {
    # name: role, most words, variables
    "hypotheses": ("explainer", 120, {"most"}),
    "contrast": ("explainer", 120, {"firing", "silent"}),
    "verbalise": ("target", 10, set()),
    "repair": ("any", 30, {"fault"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_role_length_and_variables(name):
    role, most, variables = EXPECTED[name]
    prompt = load(name)
    assert prompt.role == role
    assert len(prompt.body.split()) <= most
    assert prompt.variables == variables


@pytest.mark.parametrize(
    ("name", "reply", "good"),
    [
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


def test_contrast_asks_for_the_same_form_as_explain():
    assert load("contrast").output == load("explain").output


@pytest.mark.parametrize("name", ["hypotheses", "contrast"])
def test_the_papers_rules_hold_in_every_question_about_masked_pictures(name):
    """Bright regions only, specks ignored, no interpretation, and a way to say: nothing."""
    body = load(name).body
    for rule in ("bright regions", "scattered specks", "do not interpret", "Unable to produce"):
        assert rule in body
