"""The table of findings: what is wanted and nothing else, in an order that pages can follow."""

import itertools
from datetime import timedelta

import numpy as np
import pytest

from agent.errors import WontWork
from agent.store import Verdict
from agent.store.vectors import Near, Vectors
from review.queries import findings
from review.queries.findings import Range, Wanted
from sae_core.scoring.estimate import Null, Score
from tests.agent.store.conftest import NOON, behaviour_of, finding_of


def scored(feature, iou=None, auroc=None, **fields):
    """A supported finding with these scores, against nulls of 0 and of one half."""
    scores = {
        name: Score(
            value=value, low=value, high=value, n=9,
            nulls=tuple(
                Null(name=one, value=null, low=null, high=null, n=9, draws=9, p=0.1)
                for one in ("moved_masks", "shuffled_labels")
            ),
        )
        for name, value, null in (("iou_strict", iou, 0.0), ("auroc", auroc, 0.5))
        if value is not None
    }  # fmt: skip
    made = finding_of(feature, fields.pop("label", f"label {feature}"), **fields)
    return made.model_copy(
        update={"verification": made.verification.model_copy(update={"scores": scores})}
    )


def every(store, wanted=None, size=2, **order):
    """The features on all pages, one page after the other."""
    found, after = [], None
    while True:
        page = findings.page(store, wanted, after=after, size=size, **order)
        found += [one.feature for one in page.rows]
        if (after := page.after) is None:
            return found


@pytest.fixture
def several(store):
    """Findings of all kinds: with ties, without scores, without label."""
    store.put(scored(1, 0.5, 0.9, label="red umbrella", category="object"))
    store.put(scored(2, 0.5, 0.6, label="Blue boat", category="object"))
    store.put(scored(3, 0.1, None, label="café tables", category="scene"))
    store.put(scored(4, None, 0.9, label="red umbrella", category="object"))
    store.put(finding_of(5, None, "too rare", summary="feature 5 fires hardly ever"))
    store.put(finding_of(6, None, "no explanation", summary="feature 6: nobody knows"))
    store.put(behaviour_of(at=NOON))
    return store


def test_an_empty_store_has_no_findings(empty):
    for sort, words in itertools.product(findings.SORTS, ("", "umbrella")):
        assert findings.page(empty, Wanted(words=words), sort=sort) == findings.Page((), None)
    assert findings.tallies(empty) == findings.Tallies(0, {}, {})
    assert findings.coders(empty) == {}
    assert findings.meant(empty, ()) == ()


@pytest.mark.parametrize("sort", findings.SORTS)
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("words", ["", "umb"])
def test_every_order_shows_each_finding_once_whatever_is_missing_or_equal(
    several, sort, descending, words
):
    whole = [
        one.finding
        for one in findings.page(
            several, Wanted(words=words), sort=sort, descending=descending, size=99
        ).rows
    ]
    for size in (1, 2, 3):
        pages = []
        after = None
        while True:
            page = findings.page(
                several, Wanted(words=words), sort=sort, descending=descending,
                after=after, size=size,
            )  # fmt: skip
            pages += [one.finding for one in page.rows]
            if (after := page.after) is None:
                break
        assert pages == whole
    assert len(set(whole)) == len(whole) == (3 if words else 7)


def test_what_has_no_score_comes_last_both_ways(several):
    assert every(several, sort="iou", descending=True)[:3] == [2, 1, 3]
    assert every(several, sort="iou", descending=False)[:3] == [3, 1, 2]
    assert every(several, sort="label", descending=False)[:3] == [2, 3, 1]
    assert every(several, sort="feature", descending=False) == [1, 2, 3, 4, 5, 6, None]
    assert every(several, sort="feature", descending=True) == [6, 5, 4, 3, 2, 1, None]


def test_filters_leave_what_fits_all_of_them(several):
    def left(**wanted):
        return sorted(one or 0 for one in every(several, Wanted(**wanted)))

    assert left(status="too rare") == [5]
    assert left(category="object", status="supported") == [1, 2, 4]
    assert left(category="") == [0, 5, 6]
    assert left(kind="behaviour") == [0]
    assert left(run="r1", words="umbrellas on beaches") == [0]
    assert left(run="r2") == left(coder="other") == []
    assert left(scores={"iou": Range(0.5, 0.5)}) == [1, 2]
    assert left(scores={"iou": Range(None, 0.4), "auroc": Range(0.5)}) == []
    assert left(scores={"auroc": Range(0.7, None)}) == [1, 4]


def test_scores_disagree_by_their_skill_and_not_by_their_scale(several):
    """IoU 0.5 over 0 and AUROC 0.6 over 0.5 are a skill of 0.5 and of 0.2."""
    apart = {one.feature: one.apart for one in findings.page(several).rows}
    assert apart[1] == pytest.approx(0.8 - 0.5)
    assert apart[2] == pytest.approx(0.5 - 0.2)
    assert apart[3] is apart[4] is apart[5] is None
    assert sorted(every(several, Wanted(scores={"apart": Range(0.25)}))) == [1, 2]


def test_tallies_tell_what_each_filter_would_leave(several):
    found = findings.tallies(several, Wanted(status="supported", category="object"))
    assert found.total == 3
    assert found.statuses["supported"] == 3
    assert found.categories == {"object": 3, "scene": 1, "": 0}
    assert findings.tallies(several).total == 7


def test_a_later_finding_stands_for_its_feature(several):
    later = scored(1, 0.7, key="again", at=NOON + timedelta(days=1), label="umbrella")
    several.put(later)
    several.put(scored(1, 0.6, key="older", at=NOON - timedelta(days=1), label="parasol"))
    ours = [one for one in findings.page(several).rows if one.feature == 1]
    assert [one.finding for one in ours] == [later.id]
    assert every(several, Wanted(earlier=True), size=99).count(1) == 3
    assert every(several, Wanted(run="r1"), size=99).count(1) == 3


def test_a_feature_of_another_coder_is_another_feature(several):
    several.put(scored(1, 0.2, coder="other"))
    assert every(several).count(1) == 2
    assert findings.coders(several) == {"coder": 7, "other": 1}


def test_words_find_by_stem_by_beginning_and_by_phrase(several):
    def hits(words):
        return sorted(one or 0 for one in every(several, Wanted(words=words), sort="fit"))

    assert hits("umbrellas") == [0, 1, 4]
    assert hits("umb") == [0, 1, 4]
    assert hits("umb ") == []
    assert hits('"red umbrella"') == [1, 4]
    assert hits('"umbrella red"') == []
    assert hits("CAFE") == [3]
    assert hits("red boat") == []


@pytest.mark.parametrize(
    "words",
    ['"', '""', "*", "AND", "umbrella OR", "NOT red", "NEAR(red umbrella)", "label:red", "-red",
     "^red", "red*", "(red", "{label} : red", "'; DROP TABLE words", "\x00", "%", "é" * 300,
     "a " * 300, "🌂", "red\u0000umbrella", "+", "1"],
)  # fmt: skip
def test_odd_words_are_searched_for_and_never_break_the_search(several, words):
    findings.page(several, Wanted(words=words), sort="fit")
    findings.tallies(several, Wanted(words=words))


def test_signs_alone_find_nothing(several):
    assert every(several, Wanted(words="* ( ^")) == []


def test_the_best_fit_comes_first(several):
    several.put(scored(7, 0.5, label="umbrella"))
    first = findings.page(several, Wanted(words="umbrella"), sort="fit")
    assert first.rows[0].feature == 7


def test_opinions_stand_beside_the_finding(several):
    name = findings.page(several, Wanted(words="boat")).rows[0].finding
    for reviewer, score in (("ann", 2), ("bo", 5)):
        several.judge(Verdict(finding=name, reviewer=reviewer, score=score))
    line = findings.page(several, Wanted(words="boat")).rows[0]
    assert (line.verdicts, line.opinion) == (2, 3.5)
    assert line.summary == "feature 2 responds to Blue boat"


def test_meaning_finds_labels_in_other_words(several):
    vectors = Vectors(several, "encoder")
    assert vectors.nearest(np.ones(2), 3) == ()
    labels = vectors.missing()
    assert labels == ("Blue boat", "café tables", "red umbrella", "sees umbrellas on beaches")
    several.mean("encoder", labels, np.array([[0, 2], [3, 3], [5, 0], [1, 9]], np.float32))
    assert vectors.missing() == ()
    near = vectors.nearest(np.array([10.0, 1.0]), 2)
    assert [one.label for one in near] == ["red umbrella", "café tables"]
    assert near[0].likeness == pytest.approx(10 / np.hypot(10, 1), abs=1e-3)
    found = findings.meant(several, near, Wanted(kind="feature"))
    assert [one.line.feature for one in found] == [1, 4, 3]
    assert found[0].likeness == near[0].likeness
    assert [
        one.line.feature for one in findings.meant(several, near, Wanted(category="scene"))
    ] == [3]


def test_labels_that_are_new_since_are_found_too(several):
    vectors = Vectors(several, "encoder")
    several.mean("encoder", ["red umbrella"], np.array([[1.0, 0]]))
    assert len(vectors.nearest(np.array([1.0, 1]), 9)) == 1
    several.put(scored(8, 0.5, label="green kite"))
    assert "green kite" in vectors.missing()
    several.mean("encoder", ["red umbrella", "green kite"], np.array([[0, 1.0], [0, 1.0]]))
    several.mean("another", ["green kite"], np.array([[1.0, 0, 0]]))
    near = vectors.nearest(np.array([0.0, 1]), 9)
    assert near == (Near("green kite", 1.0), Near("red umbrella", 0.0))


def test_a_mark_of_another_order_is_told(several):
    mark = findings.page(several, sort="label", size=1).after
    with pytest.raises(WontWork, match="marks no page of this list"):
        findings.page(several, sort="iou", after=mark)
