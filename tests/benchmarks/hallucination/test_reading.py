"""What replies are read as."""

import pytest

from benchmarks.hallucination.reading import polled, yes_or_no


@pytest.mark.parametrize(
    ("reply", "polls", "reads"),
    [
        ("yes", True, True),
        ("No, there is no dog. Yes, I am sure.", False, False),
        ("Yes, there is a dog, and no cat.", False, True),
        ("There is not a dog.", False, None),
        ("There is no dog", False, False),
        ("The answer is yes", True, True),
        ("I see a snowy field.", True, None),
        ("It may be yes or no.", False, None),
        ("NO!", True, False),  # POPE's rule knows words between blanks, in two spellings
        ("", True, None),
    ],
)
def test_replies_are_read_by_both_rules(reply, polls, reads):
    assert polled(reply) is polls
    assert yes_or_no(reply) is reads


def test_popes_rule_reads_the_first_sentence_alone():
    assert polled("Yes, there is a dog. There is no cat.")
