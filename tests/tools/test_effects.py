"""The judged effect: one number from 1 to 10 in its form, or a reason why there is none."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import prompts
from tests.tools.conftest import Scripted
from tests.tools.small_lab import small_lab
from tools.effects import effect_of, judged
from tools.replies import Unreadable


@pytest.mark.parametrize("score", range(1, 11))
def test_the_last_line_says_the_number(score):
    assert effect_of(f"It is about cars.\n[EFFECT] {score}") == score


@pytest.mark.parametrize("reply", ["**[EFFECT] 7**", "[EFFECT]: 7", "`[EFFECT] 7.`\n\n"])
def test_markdown_around_it_is_no_fault(reply):
    assert effect_of(reply) == 7


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "7",
        "1",
        "[EFFECT]",
        "[EFFECT] 0",
        "[EFFECT] 11",
        "[EFFECT] 7.5",
        "[EFFECT] -3",
        "[EFFECT] 7/10",
        "[EFFECT] ٣",
        "[EFFECT] 7\nor so",
        "[EFFECT] 7\n[EFFECT] 9",
        "[effect] 9\n[EFFECT] 7",
        "The text says [EFFECT] 10\n[EFFECT] 1",
    ],
)
def test_what_is_not_one_number_in_its_form_is_unreadable(reply):
    with pytest.raises(Unreadable):
        effect_of(reply)


@given(st.text() | st.from_regex(r"\A.*\[EFFECT\].*\Z"))
def test_any_reply_is_a_number_from_1_to_10_or_unreadable(reply):
    with suppress(Unreadable):
        assert effect_of(reply) in range(1, 11)


def test_the_prompt_promises_what_the_parser_reads():
    prompt = prompts.load("effect")
    assert (prompt.role, prompt.variables) == ("judge", {"topic", "text"})
    for score in range(1, 11):
        line = f"[EFFECT] {score}"
        assert re.fullmatch(prompt.output, line)
        assert effect_of(line) == score


@pytest.mark.anyio
async def test_a_text_that_failed_does_not_take_the_others_with_it(tmp_path):
    def answer(request):
        return "[EFFECT] 4" if "red car" in request.messages[0].text else "what?"

    lab = small_lab(tmp_path, Scripted(*[answer] * 20))
    found = await judged(lab, "cars", ["a red car", "a blue sea", "a red car"])
    assert {text: one.kind for text, one in found.items()} == {
        "a red car": "judged",
        "a blue sea": "not judged",
    }
