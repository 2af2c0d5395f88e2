"""The queue of findings to be judged: everything once, fairly, and what counts of what was said."""

from collections import Counter

import pytest

from agent.errors import WontWork
from agent.store import Verdict
from review.queries import verdicts
from review.queries.findings import Wanted
from tests.agent.store.conftest import behaviour_of, finding_of

ALL = Wanted()


@pytest.fixture
def several(store):
    """Twelve labels, and what has none."""
    for feature in range(12):
        store.put(
            finding_of(feature, f"label {feature}", category="odd" if feature % 2 else "even")
        )
    store.put(finding_of(20, None, "too rare"))
    store.put(behaviour_of())
    return store


def judge(store, finding, reviewer="ann", score=3, **fields):
    store.judge(Verdict(finding=finding, reviewer=reviewer, score=score, **fields))


def worked_off(store, reviewer, wanted=ALL):
    found = []
    while one := verdicts.following(store, reviewer, wanted):
        judge(store, one.finding, reviewer)
        found.append(one.finding)
    return found


def skipped_through(store, reviewer, wanted=ALL):
    found, after = [], None
    while one := verdicts.following(store, reviewer, wanted, after):
        found.append(one.finding)
        after = one.mark
    return found


def test_each_label_comes_once_and_what_has_none_never(several):
    found = worked_off(several, "ann")
    assert len(set(found)) == len(found) == 12
    assert verdicts.progress(several, "ann", ALL) == (12, 12)
    assert verdicts.progress(several, "bo", ALL) == (0, 12)


def test_what_nobody_judged_comes_before_what_others_have(several):
    known = skipped_through(several, "ann")[:3]
    for one in known:
        judge(several, one, "ann")
    order = skipped_through(several, "bo")
    assert set(order[-3:]) == set(known)
    assert set(skipped_through(several, "bo", Wanted(judged=True))) == set(known)


def test_skipping_shows_all_the_rest_and_then_it_begins_anew(several):
    first = skipped_through(several, "ann")
    assert len(set(first)) == 12
    assert skipped_through(several, "ann") == first
    judge(several, first[0])
    assert skipped_through(several, "ann") == first[1:]


def test_each_reviewer_has_an_order_of_their_own_and_no_finding_is_favoured(several):
    firsts = Counter(verdicts.following(several, f"reviewer {n}", ALL).finding for n in range(600))
    assert len(firsts) == 12
    # Evenly: 50 each, of which chance seldom takes more than half away or adds as much.
    assert 25 <= min(firsts.values()) <= max(firsts.values()) <= 85
    pairs = Counter(tuple(skipped_through(several, f"reviewer {n}")[:2]) for n in range(40))
    assert len(pairs) > 30


def test_filters_are_those_of_the_table(several):
    assert len(worked_off(several, "ann", Wanted(category="odd"))) == 6
    assert verdicts.progress(several, "ann", Wanted(category="even")) == (0, 6)
    assert verdicts.following(several, "ann", Wanted(status="refuted")) is None
    assert len(skipped_through(several, "bo", Wanted(words="label"))) == 12


def test_the_latest_verdict_of_a_reviewer_counts_and_the_others_stay(several):
    one, other = skipped_through(several, "ann")[:2]
    judge(several, one, "ann", 1)
    judge(several, other, "ann", 4)
    judge(several, one, "ann", 5)
    judge(several, one, "bo", 2)
    assert [tuple(each) for each in verdicts.ratings(several)] == sorted(
        [(one, "ann", 5), (one, "bo", 2), (other, "ann", 4)]
    )
    assert [(each.finding, each.score) for each in verdicts.latest(several, "ann", 9)] == [
        (one, 5), (other, 4)
    ]  # fmt: skip
    assert verdicts.reviewers(several) == {"ann": 2, "bo": 1}
    assert verdicts.standings(several) == (("supported", 2, 3, pytest.approx(11 / 3)),)
    (disputed,) = verdicts.disputed(several, 9)
    assert (disputed.finding, disputed.least, disputed.most) == (one, 2, 5)
    assert len(several.verdicts(one)) == 3


def test_an_empty_store_has_nothing_to_judge(empty):
    assert verdicts.following(empty, "ann", ALL) is None
    assert verdicts.progress(empty, "ann", ALL) == (0, 0)
    assert verdicts.ratings(empty) == verdicts.standings(empty) == verdicts.disputed(empty, 9) == ()
    assert verdicts.reviewers(empty) == {}


def test_a_mark_of_another_list_is_told(several):
    with pytest.raises(WontWork, match="marks no page"):
        verdicts.following(several, "ann", ALL, '["x"]')
