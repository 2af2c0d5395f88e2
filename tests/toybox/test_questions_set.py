"""The toybox's own questions: what is asked, that it is true, and that it stays what it is."""

from collections import Counter

import pytest

from sae_core.errors import UserError
from toybox.questions_set import ToyboxQuestions
from toybox.tags import scene_of
from toybox.vocabulary import PLACE_PHRASES
from toybox.world import BIAS


@pytest.fixture(scope="module")
def questions():
    return ToyboxQuestions("validate", 400)


def test_a_quarter_asks_for_what_the_place_usually_has_and_this_picture_lacks(questions):
    for number in range(0, 80, 4):
        asked, scene = questions.asked(number), scene_of(questions.picture(number))
        assert (asked.kind, asked.answer) == ("usual and absent", "no")
        assert asked.tags == (PLACE_PHRASES[scene.place],)
        usual = BIAS[scene.place]
        assert f" {usual}" in asked.question
        assert usual not in {thing.kind for thing in scene.shown}


def test_the_same_is_asked_where_the_thing_is_there(questions):
    kinds = [questions.asked(number).kind for number in range(2, 400, 4)]
    assert kinds.count("usual and there") > 80
    for number in range(2, 80, 4):
        asked, scene = questions.asked(number), scene_of(questions.picture(number))
        if asked.kind == "usual and there":
            assert asked.answer == "yes"
            assert BIAS[scene.place] in {thing.kind for thing in scene.shown}
            assert f" {BIAS[scene.place]}" in asked.question


def test_all_other_answers_are_true(questions):
    """Checked by looking at the scene: what is there, and in which color."""
    for number in range(3, 400, 4):
        asked, scene = questions.asked(number), scene_of(questions.picture(number))
        if asked.kind == "is there":
            there = any(f" {thing.kind}" in asked.question for thing in scene.shown)
            assert asked.answer == ("yes" if there else "no")
        if asked.kind == "color":
            colours = {t.colour for t in scene.shown if t.kind in asked.question}
            assert colours == {asked.answer}


def test_captions_and_lists_are_among_the_questions(questions):
    kinds = Counter(questions.asked(number).kind for number in range(400))
    assert kinds["caption"] > 0
    assert kinds["list"] > 0
    assert kinds["color"] > 10


def test_another_set_has_another_digest_and_the_same_one_the_same():
    digests = {
        ToyboxQuestions("validate").digest,
        ToyboxQuestions("test").digest,
        ToyboxQuestions("test", 100).digest,
    }
    assert len(digests) == 3
    assert ToyboxQuestions("test", 100).digest in digests
    assert ToyboxQuestions("test", 100).asked(7) == ToyboxQuestions("test").asked(7)


def test_other_names_and_numbers_are_refused(questions):
    with pytest.raises(UserError, match="validate and test"):
        ToyboxQuestions("explore")
    with pytest.raises(UserError, match="No question 400"):
        questions.asked(400)
