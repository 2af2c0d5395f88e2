"""Findings by words: what stands, of the features that are meant, best first."""

from datetime import timedelta

import pytest

from agent.store import FoundOut, Store
from tests.agent.store.conftest import NOON, PROVENANCE, behaviour_of, finding_of


@pytest.fixture
def filled(store):
    store.begin("r2", "again", PROVENANCE, pid=1)
    for finding in (
        finding_of(1, "red umbrellas", category="object"),
        finding_of(2, "the umbrella"),
        finding_of(3, "a dog or a cat", hypotheses=(), at=NOON + timedelta(hours=1)),
        finding_of(4, "umbrella", status="refuted"),
        finding_of(5, None, status="no explanation", summary="nothing fits", hypotheses=()),
        finding_of(6, "umbrella", coder="another"),
        behaviour_of(),
    ):
        store.put(finding)
    return store


def test_labels_are_found_by_the_words_they_share(filled):
    found = filled.search("red umbrella", 5, coder="coder")
    assert [(one.feature, one.score) for one in found] == [(1, 1.0), (2, 0.5)]
    assert found[0].finding == filled.latest(1, "coder").id


def test_features_of_another_coder_stay_out(filled):
    of = {coder: FoundOut(filled, lambda c=coder: c) for coder in ("coder", "another", "third")}
    assert [one.feature for one in of["another"].search("umbrella", 5)] == [6]
    assert [one.feature for one in of["coder"].search("umbrella", 5)] == [2, 1]
    assert of["third"].search("umbrella", 5) == []
    assert of["third"].known("umbrella") == []
    assert [one.feature for one in filled.search("umbrella", 1)] == [2]


def test_what_a_later_finding_refuted_is_no_label_any_more(filled):
    filled.put(finding_of(2, "umbrella", status="refuted", run="r2", at=NOON + timedelta(days=1)))
    assert [one.feature for one in filled.search("umbrella", 5, coder="coder")] == [1]
    known = filled.known("umbrella", feature=2)
    assert [one.status for one in known] == ["refuted"]


def test_all_texts_are_searched(filled):
    assert [one.feature for one in filled.known("red beach", count=1)] == [1]
    assert [one.feature for one in filled.known("cats")] == [3]
    assert [one.feature for one in filled.known("object", coder="coder")] == [1]
    assert [one.status for one in filled.known("recipe removes")] == ["fixed"]
    assert [one.feature for one in filled.known("is there an umbrella", status="fixed")] == [None]
    assert [one.label for one in filled.known(status="no explanation")] == [None]


def test_more_of_the_words_come_first(filled):
    found = filled.known("red umbrella", coder="coder", status="supported")
    assert [(one.feature, one.score) for one in found] == [(1, 1.0), (2, 0.5)]


def test_without_words_the_newest_come_first(filled):
    assert filled.known(coder="coder", count=2, status="supported")[0].feature == 3


@pytest.mark.parametrize(
    "words", ['umbrella" OR "dog', "umbrella*", "label:umbrella", "NOT (", "''"]
)
def test_words_are_words_and_no_query_language(filled, words):
    found = filled.known(words, count=100)
    assert all(one.score <= 1 for one in found)
    assert filled.search(words, 5) == [] or "umbrella" in words


def test_words_that_say_nothing_find_nothing(filled):
    assert filled.search("the", 5) == []
    assert filled.known("the") == []
    assert filled.known("zebra") == []


def test_before_anything_was_found_out_nothing_is_known_and_nothing_is_loaded(runs):
    def never():
        raise AssertionError("loaded a model")

    labels = FoundOut(runs, never)
    assert labels.search("umbrella", 5) == []
    assert labels.known("umbrella") == []
    assert not runs.exists()


def test_a_folder_is_opened_when_there_is_something_in_it(runs):
    labels = FoundOut(runs, lambda: "coder")
    assert labels.known("umbrella") == []
    with Store(runs) as store:
        store.begin("r1", "?", PROVENANCE, pid=1)
        store.put(finding_of())
        assert [one.feature for one in labels.known("umbrella")] == [118]
    labels._store.close()
