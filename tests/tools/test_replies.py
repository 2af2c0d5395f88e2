"""Replies are read strictly: whatever a model says, there is one bounded answer, or none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import load
from tests.tools.nasty import REPLIES
from tools.replies import (
    CATEGORIES,
    Described,
    Undescribed,
    Unreadable,
    category,
    explanation,
    hypotheses,
    label,
    saying,
    verdict,
)
from tools.wording import LONGEST, LONGEST_LABEL

MARKERS = ("[EXPLANATION]:", "[ANSWER]", "[HYPOTHESIS]")
UNABLE = "Unable to produce descriptions"
PIECES = st.sampled_from(
    [*MARKERS, UNABLE, "red cars", "0", "1", "object", "\n", "\r\n", "```", "**", " ", ".", "\x00"]
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join))
WORDS = st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,3}", fullmatch=True)


def three(reply):
    return hypotheses(reply, 3)


FORMS = {
    "explain": explanation,
    "refine": label,
    "hypotheses": three,
    "categorise": category,
    "judge": verdict,
}
WRITTEN = {"explain": "[EXPLANATION]: {}", "refine": "[ANSWER] {}", "hypotheses": "[HYPOTHESIS] {}"}


def texts_of(answer):
    match answer:
        case Described():
            return (answer.text,)
        case tuple():
            return answer
    return ()


def read(parser, reply):
    try:
        return parser(reply)
    except Unreadable:
        return None


def fault_of(parser, reply):
    try:
        parser(reply)
    except Unreadable as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("form", FORMS)
@given(TEXTS)
def test_any_reply_gives_one_bounded_printable_answer_or_none(form, reply):
    for text in texts_of(read(FORMS[form], reply)):
        assert text.isprintable()
        assert text == text.strip()
        assert 0 < len(text) <= (LONGEST_LABEL if form == "refine" else LONGEST)
        assert UNABLE.lower() not in text.lower()
        assert not any(marker[:-1].lower() in text.lower() for marker in (WRITTEN.get(form, "x"),))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_with_two_answers_or_instructions_is_none(form, reply):
    assert read(FORMS[form], reply) is None


@pytest.mark.parametrize("form", ["explain", "refine"])
@given(WORDS, WORDS, st.sampled_from(["\n", " ", "\n\n", "\nor\n"]))
def test_two_answers_are_never_accepted(form, one, other, between):
    said = between.join(WRITTEN[form].format(text) for text in (one, other))
    assert read(FORMS[form], said) is None


@pytest.mark.parametrize("form", WRITTEN)
@given(WORDS)
def test_what_the_prompt_promises_is_read(form, words):
    said = WRITTEN[form].format(words)
    assert re.fullmatch(load(form).output, said)
    assert texts_of(FORMS[form](said)) == (words,)


@pytest.mark.parametrize("form", ["explain", "refine"])
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "  {}  \n",
        "{}\r\n\r\n",
        "I looked at all of them.\n\n{}",
        "```\n{}\n```",
        "```text\n{}\n```\n",
        "**{}**",
        "`{}`",
        "\ufeff{}",
    ],
)
def test_chatter_before_and_markdown_around_an_answer_are_left_out(form, around):
    said = around.format(WRITTEN[form].format("red cars"))
    assert FORMS[form](said) == Described(text="red cars")


def test_control_characters_do_not_get_into_an_answer():
    assert label("[ANSWER] red\x1b[31m\tcars\u202e") == Described(text="red [31m cars")


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        ("explain", f"[EXPLANATION]: {UNABLE}"),
        ("explain", f"[EXPLANATION]: {UNABLE.lower()}."),
        ("explain", f'Nothing is shared.\n[EXPLANATION]: "{UNABLE}"'),
        ("refine", UNABLE),
        ("refine", f"**{UNABLE}.**"),
        ("refine", f"[ANSWER] {UNABLE}"),
    ],
)
def test_nothing_to_describe_is_an_answer_of_its_own(form, reply):
    assert FORMS[form](reply) == Undescribed()


@pytest.mark.parametrize("reply", ["[ANSWER] x\nThat is the label.", "red cars", f"no: {UNABLE}"])
def test_a_label_that_is_not_in_the_last_line_is_none(reply):
    with pytest.raises(Unreadable):
        label(reply)


@pytest.mark.parametrize(("form", "longest"), [("explain", LONGEST), ("refine", LONGEST_LABEL)])
def test_an_answer_that_is_too_long_is_refused_and_not_cut(form, longest):
    assert FORMS[form](WRITTEN[form].format("x" * longest))
    with pytest.raises(Unreadable, match=f"at most {longest}"):
        FORMS[form](WRITTEN[form].format("x" * (longest + 1)))


def test_hypotheses_keep_their_order_and_equal_ones_are_one():
    said = "Some thoughts.\n[HYPOTHESIS] red cars\n[HYPOTHESIS] cars\n[HYPOTHESIS] Red cars\n"
    assert three(said) == ("red cars", "cars")


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("[HYPOTHESIS] a\n" * 4, "4 lines .* at most 3"),
        ("[HYPOTHESIS] a\nor\n[HYPOTHESIS] b", "does not end with lines"),
        ("[HYPOTHESIS] a [HYPOTHESIS] b", "does not end with lines"),
        ("red cars", "does not end with lines"),
        (f"[HYPOTHESIS] a\n[HYPOTHESIS] {UNABLE}", "says that there is none"),
    ],
)
def test_a_list_of_another_form_is_refused_with_its_fault(reply, fault):
    with pytest.raises(Unreadable, match=fault):
        three(reply)


def test_no_hypothesis_at_all_is_an_answer():
    assert three(f"They share nothing.\n{UNABLE}") == ()


@pytest.mark.parametrize("kind", CATEGORIES)
def test_a_class_is_read_in_any_dress(kind):
    assert {category(said) for said in (kind, f" {kind.upper()}.\n", f"```\n{kind}\n```")} == {kind}


def test_the_classes_are_those_that_the_prompt_offers():
    assert set(CATEGORIES) == set(load("categorise").output.split("|"))


@pytest.mark.parametrize("reply", ["colour", "the class is object", "objects", "object scene"])
def test_what_is_no_class_is_refused(reply):
    with pytest.raises(Unreadable, match="not one of"):
        category(reply)


@pytest.mark.parametrize(("reply", "wanted"), [("1", 1), (" 0.\n", 0), ("**1**", 1), ("`0`", 0)])
def test_a_verdict_is_read(reply, wanted):
    assert verdict(reply) == wanted


@pytest.mark.parametrize("reply", ["yes", "2", "10", "1.0", "-1", "1 0", "one"])
def test_what_is_neither_0_nor_1_is_no_verdict(reply):
    with pytest.raises(Unreadable):
        verdict(reply)


@pytest.mark.parametrize("form", FORMS)
@given(TEXTS, TEXTS)
def test_a_fault_never_quotes_the_reply(form, before, after):
    assert "qzxv" not in fault_of(FORMS[form], f"{before}qzxv{after}")


@given(TEXTS)
def test_free_words_are_bounded_or_nothing(reply):
    said = saying(reply)
    assert isinstance(said, Undescribed) or 0 < len(said.text) <= LONGEST
