"""Pictures to score on come from all groups alike, firing and silent apart."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.evidence import FIRING, SILENT, Evidence, Sighting
from tools.failures import WontWork
from tools.held_out import contrast, firing

SIGHTINGS = st.lists(
    st.builds(
        Sighting,
        picture=st.integers(0, 40),
        group=st.sampled_from(FIRING + SILENT),
        quantile=st.none() | st.integers(0, 3),
    ),
    max_size=30,
)


def evidence(*sightings):
    return Evidence(
        feature=7, coder="c", model="m", hook="h", split="validate", pictures="p", grid=(1, 1),
        fires_on=1, size=100, short=False, mean=1, peak=1, level=1, sightings=sightings,
    )  # fmt: skip


def quantile(number, part):
    return Sighting(picture=number, group="quantile", quantile=part)


def test_all_quantiles_are_reached_before_any_gives_a_second():
    given = [quantile(n, n // 10) for n in range(40)]
    chosen = contrast(evidence(*given), 16).firing
    assert Counter(one.quantile for one in chosen) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_all_kinds_of_silent_pictures_are_reached():
    given = [Sighting(picture=n, group=SILENT[n % len(SILENT)]) for n in range(40)]
    chosen = contrast(evidence(*given), 4 * len(SILENT)).silent
    assert Counter(one.group for one in chosen) == dict.fromkeys(SILENT, 2)


def test_without_quantiles_the_top_pictures_stand_for_firing():
    top = Sighting(picture=1, group="top_by_mean")
    assert contrast(evidence(top), 4).firing == (top,)


@given(SIGHTINGS, st.integers(1, 20))
def test_no_picture_is_chosen_twice_or_beyond_the_count(given, count):
    chosen = contrast(evidence(*given), count)
    for part in chosen:
        assert len({one.picture for one in part}) == len(part) <= count // 2


def test_a_silent_group_is_never_scored_as_firing():
    with pytest.raises(WontWork, match="feature 7 has no picture on which it fires in random"):
        firing(evidence(Sighting(picture=1, group="random")), ("random",), 5)


def test_the_papers_pictures_are_the_top_by_mean_in_their_order():
    given = [Sighting(picture=n, group="top_by_mean") for n in (9, 3, 5)]
    chosen = firing(evidence(quantile(1, 0), *given), ("top_by_mean",), 2)
    assert [one.picture for one in chosen] == [9, 3]
