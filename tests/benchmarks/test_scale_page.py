"""The tables of docs/scale.md are those that the plan works out."""

import re
from pathlib import Path

import pytest

from benchmarks.simulate.plan import MACHINES, PROFILE, Assumed, markdown, picture_seconds, row
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
