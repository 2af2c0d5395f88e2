"""The concepts: as many as the world promises, each findable by its name."""

import pytest

from sae_core.errors import UserError
from toybox.vocabulary import CONCEPTS, MEMBERS, OBJECTS, article, concept, plural

AT_LEAST = {
    "scene": 8,
    "object": 24,
    "part": 12,
    "material": 6,
    "texture": 6,
    "color": 8,
    "text": 16,
    "emotion": 4,
}


def test_there_are_at_least_ninety_concepts():
    assert len(CONCEPTS) >= 90


@pytest.mark.parametrize("group", AT_LEAST)
def test_a_class_has_as_many_members_as_it_needs(group):
    members = {c.word for c in CONCEPTS if c.group == group}
    assert len(members) >= AT_LEAST[group]


def test_there_are_no_classes_but_the_eight():
    assert set(MEMBERS) == set(AT_LEAST) == {c.group for c in CONCEPTS}


def test_ids_are_unique():
    assert len({c.id for c in CONCEPTS}) == len(CONCEPTS)


def test_labels_are_unique_so_that_an_explanation_means_one_concept():
    assert len({c.label for c in CONCEPTS}) == len(CONCEPTS)


def test_every_concept_is_found_by_its_id():
    assert [concept(c.id) for c in CONCEPTS] == list(CONCEPTS)


def test_a_bare_word_of_one_class_finds_its_concept():
    assert concept("umbrella").id == "object:umbrella"


@pytest.mark.parametrize("word", ["fish", "boat"])
def test_an_ambiguous_word_is_named_with_the_ids_to_choose_from(word):
    with pytest.raises(UserError, match=rf"'{word}' is ambiguous.*object:{word} or text:{word}"):
        concept(word)


@pytest.mark.parametrize("word", ["elephant", "object:elephant", "colour:red", "", "Car"])
def test_an_unknown_concept_is_named_with_the_command_that_lists_them(word):
    with pytest.raises(UserError, match=f"No concept '{word}'.*lmmscope toybox concepts"):
        concept(word)


@pytest.mark.parametrize(
    ("noun", "wanted"),
    [("car", "a car"), ("umbrella", "an umbrella"), ("orange car", "an orange car")],
)
def test_a_noun_gets_the_article_that_its_sound_asks_for(noun, wanted):
    assert article(noun) == wanted


def test_plurals_tell_every_kind_of_object_apart():
    assert len({plural(kind) for kind in OBJECTS}) == len(OBJECTS)
