"""Krippendorff's alpha against the worked example of its author, and where it says nothing."""

import itertools

import pytest

from review.agreement import agreement, pairs

# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers,
# twelve units, values missing. By hand there: 0.815 for values in an order.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def units():
    observers = [line.split() for line in PUBLISHED.split("\n") if line]
    return [[int(value) for value in unit if value != "."] for unit in zip(*observers, strict=True)]


def test_the_published_example_comes_out_as_published():
    found = agreement(units())
    assert found.alpha == pytest.approx(0.815, abs=5e-4)
    assert found.units == 11  # the twelfth was seen by one observer alone
    assert found.low < found.alpha < found.high


def test_it_follows_the_definition_pair_by_pair():
    """Disagreement seen over disagreement by chance, summed over all pairs of values."""
    scored = [[1, 2], [5, 5, 4], [3, 1], [2, 2], [4, 5], [1, 1, 2, 5]]
    values = [value for unit in scored for value in unit]
    counts = [values.count(value) for value in range(1, 6)]

    def apart(one, other):
        low, high = sorted((one, other))
        between = sum(counts[value - 1] for value in range(low, high + 1))
        return (between - (counts[low - 1] + counts[high - 1]) / 2) ** 2

    seen = sum(
        apart(*pair) / (len(unit) - 1)
        for unit in scored
        for pair in itertools.permutations(unit, 2)
    )
    by_chance = sum(apart(*pair) for pair in itertools.permutations(values, 2))
    expected = 1 - (len(values) - 1) * seen / by_chance
    assert agreement(scored).alpha == pytest.approx(expected)


def test_full_agreement_is_one_and_opposites_are_below_chance():
    assert agreement([[1, 1], [5, 5], [3, 3]]).alpha == 1
    assert agreement([[1, 5], [5, 1]]).alpha < 0


def test_missing_scores_are_no_disagreement():
    full = [[1, 2], [4, 4], [5, 3]]
    assert agreement([*full, [3], [], [1]]) == agreement(full)


@pytest.mark.parametrize("scored", [[], [[3]], [[1], [5]], [[4, 4], [4, 4]]])
def test_nothing_is_said_where_nobody_could_have_disagreed(scored):
    assert agreement(scored) is None


def test_the_interval_narrows_with_what_is_scored_and_is_the_same_each_time():
    few, many = agreement(units()), agreement(units() * 20)
    assert few == agreement(units())
    assert many.high - many.low < (few.high - few.low) / 2


def test_two_by_two_those_with_the_most_in_common_come_first():
    scored = [{"ann": 1, "bo": 3}, {"ann": 2, "bo": 2, "cy": 5}, {"cy": 1}]
    first, *others = pairs(scored, ["ann", "bo", "cy"])
    assert first == ("ann", "bo", 2, 0.5, 1.0)
    assert {(one.left, one.right, one.apart) for one in others} == {
        ("ann", "cy", 3),
        ("bo", "cy", 3),
    }
