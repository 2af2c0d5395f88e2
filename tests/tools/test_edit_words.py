"""Edits are chosen by their words: those that name what is wanted, or one of each sort."""

import numpy as np
import pytest

from tools.edit_words import asking_for, naming, of_each_sort, touching

LISTED = [
    f"{thing}.{name} = {value}"
    for thing in (0, 1)
    for name, values in {
        "colour": ("red", "blue", "pink"),
        "kind": ("car", "fish", "sign"),
        "word": ("open", "fish"),
    }.items()
    for value in values
] + ["place = snow", "place = sea"]


@pytest.mark.parametrize(
    ("concept", "named"),
    [
        ("red color", ["0.colour = red", "1.colour = red"]),
        ("a snow field", ["place = snow"]),
        ("the word fish", ["0.word = fish", "1.word = fish"]),
        ("open", ["0.word = open", "1.word = open"]),
        ("petals", []),
    ],
)
def test_an_edit_that_adds_a_concept_names_it_with_its_rarest_words(concept, named):
    assert sorted(naming(LISTED, concept, np.random.default_rng(0))) == named


def test_edits_of_a_sort_differ_in_their_last_word():
    drawn = of_each_sort(LISTED, np.random.default_rng(0))
    sorts = [one.rpartition(" ")[0] for one in drawn]
    assert sorted(sorts) == sorted({one.rpartition(" ")[0] for one in LISTED})


def test_changes_where_the_concept_is_come_first_and_others_not_at_all():
    place = np.zeros((4, 4), bool)
    place[:2] = True
    everywhere, elsewhere = np.ones((4, 4), bool), ~place
    assert touching([elsewhere, everywhere, place], place) == [2, 1]


def test_whoever_takes_any_words_is_told_to_change_nothing_else():
    assert asking_for("remove", "the ball").startswith("Remove the ball. Change nothing else")
