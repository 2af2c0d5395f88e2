"""A failure's reason is one short line, whatever a server put into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.failures import LONGEST, TryAgain, WontWork


@given(st.text(max_size=1000))
def test_a_reason_is_one_printable_line_of_bounded_length(text):
    reason = WontWork(text).reason
    assert len(reason) <= LONGEST
    assert len(reason.splitlines()) <= 1
    assert reason.isprintable()


@pytest.mark.parametrize("failure", [WontWork, TryAgain])
def test_a_failure_prints_as_its_reason(failure):
    assert str(failure("no\n picture")) == "no picture"
