"""Words from outside are one visible line, without anything that could mark a turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tools.wording import LONGEST_LABEL, Label, plain, unmarked


@given(st.text())
def test_plain_text_is_one_printable_line_and_stays_as_it_is(text):
    line = plain(text)
    assert line.isprintable()
    assert plain(line) == line == line.strip()


def test_invisible_characters_vanish_within_words_and_other_ones_part_them():
    assert plain("foot\u00adball\u202e\x07game\u00a0on") == "football game on"


@pytest.mark.parametrize(
    "marker",
    ["<|im_start|>", "<image>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<\uff5cUser\uff5c>"],
)
def test_markers_are_taken_apart(marker):
    assert marker not in unmarked(f"a{marker}b {marker}{marker}")


@given(st.text(alphabet="ab <>|/[]INST", max_size=30))
def test_only_spaces_are_added_and_no_marker_is_left(text):
    parted = unmarked(text)
    assert parted.replace(" ", "") == text.replace(" ", "")
    assert unmarked(parted) == parted


@pytest.mark.parametrize("text", ["red cars", "3 < 4 and 5 > 2", "a [sic] sign", "«OPEN»"])
def test_ordinary_words_stay_as_they_are(text):
    assert unmarked(plain(text)) == text


@pytest.mark.parametrize("text", ["", " \n\u200b", "x" * (LONGEST_LABEL + 1)])
def test_a_label_has_something_in_it_and_is_short(text):
    with pytest.raises(ValidationError):
        TypeAdapter(Label).validate_python(text)
