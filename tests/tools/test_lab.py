"""A lab opened for the verification shares all parts, and leaves the first one sealed."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tools.conftest import Scripted
from tools.failures import WontWork


def test_an_opened_lab_shares_parts_whichever_makes_them(make_lab):
    made = []
    lab = make_lab(judge=Scripted())
    lab._makers = lab._makers._replace(clip=lambda: made.append(1) or object())
    opened = lab.opening("test")
    assert opened.clip is lab.clip
    assert made == [1]
    assert opened.index("explore") is lab.index("explore")


def test_only_the_opened_lab_sees_the_sealed_split(lab):
    opened = lab.opening("test")
    assert len(opened.pictures("test")) > 0
    with pytest.raises(WontWork, match="sealed"):
        lab.pictures("test")


def test_two_threads_that_need_a_part_make_it_once(make_lab):
    made = []

    def slow():
        time.sleep(0.05)
        made.append(1)
        return object()

    lab = make_lab(judge=Scripted())
    lab._makers = lab._makers._replace(clip=slow)
    with ThreadPoolExecutor(2) as pool:
        one, other = [pool.submit(lambda: lab.clip) for _ in range(2)]
    assert one.result() is other.result()
    assert made == [1]
