"""The tables of docs/scale.md are those that the plan works out."""

import re
from pathlib import Path

import pytest

from benchmarks.simulate.plan import (
    MACHINES,
    PROFILE,
    Assumed,
    call_seconds,
    call_tokens,
    markdown,
    picture_seconds,
    row,
)
from benchmarks.simulate.recorded import measured
from lmmscope.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def test_the_page_has_the_tables_of_the_plan():
    found = re.search(r"<!-- plan -->\n(.*)<!-- /plan -->", PAGE.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == markdown(), "print them anew with python -m benchmarks.simulate --plan"


def test_a_picture_takes_what_the_page_says_it_is_made_of():
    operations = 2 * 8.36e9 * 25 / 32 * 2928 + 1.074e9 * 576
    assert picture_seconds(load_settings(PROFILE), Assumed()) == pytest.approx(
        operations / (989e12 * 0.4)
    )


def test_a_call_is_read_in_one_go_and_answered_token_by_token():
    """Each token of a reply takes all weights from memory: that is most of what a call takes."""
    settings, asked, assumed = load_settings(PROFILE), measured().asked, Assumed()
    weights = 2 * settings.published.models["explainer"].parameters
    reading = weights * call_tokens(asked, assumed) / (989e12 * 0.4)
    writing = 100 * weights / (3.35e12 * 0.4) / 8
    assert call_seconds(settings, asked, assumed) == pytest.approx(reading + writing)
    assert writing > reading


def test_an_index_is_built_no_faster_than_its_parts_are_joined():
    few, many = (row(machines, measured(), Assumed()) for machines in (MACHINES[0], MACHINES[2]))
    assert few.index_hours(10**6, Assumed()) * 3600 == pytest.approx(10**6 / few.pictures_a_second)
    assert many.index_hours(10**6, Assumed()) * 3600 == pytest.approx(10**6 / 1024 * 5)


def test_money_follows_from_hours_gpus_and_price():
    assumed = Assumed()
    some = row(MACHINES[1], measured(), assumed)
    assert some.money(some.batch_hours, assumed) == pytest.approx(
        131_072 / some.outcome.per_hour * 8 * 2.5
    )


def test_nothing_goes_faster_than_its_gpus_can():
    for machines in MACHINES:
        some = row(machines, measured(), Assumed())
        assert max(some.outcome.busy.values()) <= 1 + 1e-9
