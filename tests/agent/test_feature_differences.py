"""Phrases come out of descriptions, and those that tell two sets of pictures apart are kept."""

from agent.feature.differences import Phrase, phrases, surer, telling


def texts(found):
    return [one.text for one in found]


def test_words_are_tried_alone_and_together_if_two_descriptions_have_them():
    assert texts(phrases(["a red car."], ["the red car and a hat."])) == ["car", "red", "red car"]


def test_what_stands_before_a_thing_is_a_quality():
    said = {one.text: one.quality for one in phrases(["a red car."], ["the red car and a hat."])}
    assert said == {"car": False, "red": True, "red car": False}


def test_no_phrase_goes_across_a_comma_or_an_empty_word():
    assert texts(phrases(["a car, hat and cup"] * 2, [])) == ["car", "cup", "hat"]


def test_without_descriptions_there_is_nothing_to_try():
    assert phrases([], []) == phrases(["a car."], []) == []


def test_what_is_said_of_firing_pictures_alone_tells_most():
    said = phrases(["a car at the sea"] * 6, ["a car"] * 6)
    car, sea = said
    assert (car.more, car.p) == (0, 1)
    assert (sea.more, sea.firing) == (0.5, True)
    assert sea.p < 0.01


def test_the_surer_of_two_sources_counts_and_pays_for_being_chosen():
    said, looks = Phrase("sea", 0.5, 0.01, quality=True), Phrase("sea", 0.2, 0.3)
    assert surer(said, looks) == Phrase("sea", 0.5, 0.02, quality=True)
    assert surer(said._replace(p=0.4), looks) == Phrase("sea", 0.2, 0.6, quality=True)


def test_of_words_within_each_other_the_one_that_tells_more_is_kept():
    assert texts(telling([Phrase("red car", 0.3, 0.001), Phrase("red", 0.4, 0.001)])) == ["red"]


def test_a_phrase_stays_whole_where_its_words_never_come_apart():
    same = frozenset({1, 2})
    equal = [Phrase("snow", 0.5, 0.001, same), Phrase("snow field", 0.48, 0.001, same)]
    assert texts(telling(equal)) == ["snow field"]
    apart = [Phrase("snow", 0.5, 0.001, same | {3}), equal[1]]
    assert texts(telling(apart)) == ["snow"]


def test_what_may_be_chance_or_tells_little_is_left_out():
    given = [("beach", -0.45, 0.001), ("car", 0.45, 0.5), ("hat", 0.15, 0.001), ("cup", 0.4, 0.001)]
    assert texts(telling([Phrase(*one) for one in given])) == ["beach", "cup"]
