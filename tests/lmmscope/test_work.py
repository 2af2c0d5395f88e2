"""What a run keeps of what was chosen, and what is chosen anew when it goes on."""

import pytest

from lmmscope.limits import Spend
from lmmscope.settings import load_settings
from lmmscope.work import Choices

BEGUN = Choices(load_settings("toybox"), Spend(calls=9, money=2.0), steer=False, planted_seed=0)


@pytest.mark.parametrize(
    ("given", "spend"),
    [
        (Spend(), Spend(calls=9, money=2.0)),
        (Spend(calls=0), Spend(calls=0, money=2.0)),
        (Spend(tokens=5), Spend(calls=9, tokens=5, money=2.0)),
    ],
)
def test_a_run_goes_on_as_it_was_begun_but_for_the_limits_that_are_given(given, spend):
    again = Choices(BEGUN.settings, given).again(BEGUN.options)
    assert again == BEGUN._replace(workers=BEGUN.at_a_time, spend=spend)


def test_what_was_begun_before_limits_were_kept_has_none():
    options = {"workers": 3, "steer": True, "planted_seed": None, "sae": None}
    again = Choices(BEGUN.settings).again(options)
    assert (again.workers, again.spend) == (3, Spend())
