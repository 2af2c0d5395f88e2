"""The tokenizer: known words whole, all others spelled, chat turns as models expect them."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from toybox.phrasing import ANSWER, EXPLANATION
from toybox.tokens import build_tokenizer, vocabulary, words_in
from toybox.vocabulary import CONCEPTS
from toybox.world_splits import fresh_scene
from toybox.world_text import LONG_FORMS, ask

PIECES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=60)


@pytest.fixture(scope="module")
def words() -> list[str]:
    return vocabulary()


@pytest.fixture(scope="module")
def tokenizer(words) -> PreTrainedTokenizerFast:
    return build_tokenizer(words)


def _back(tokenizer: PreTrainedTokenizerFast, text: str) -> str:
    return tokenizer.decode(tokenizer(text).input_ids)


def test_every_concept_word_is_a_single_token(tokenizer):
    split = [c.id for c in CONCEPTS if len(tokenizer.tokenize(c.word)) != 1]
    assert split == []


def test_every_word_of_a_concepts_label_is_a_single_token(tokenizer):
    split = [c.id for c in CONCEPTS if len(tokenizer.tokenize(c.label)) != len(c.label.split())]
    assert split == []


def test_questions_and_answers_about_unseen_pictures_need_no_spelling(tokenizer):
    rng = np.random.default_rng(0)
    spelled = set()
    for seed in range(150):
        scene = fresh_scene(seed, distribution="natural")
        for said in (*ask(scene, rng, 12), *ask(scene, rng, 0, LONG_FORMS)):
            pieces = tokenizer.tokenize(f"{said.text} {said.answer}")
            spelled |= {piece for piece in pieces if piece.startswith("##")}
    assert spelled == set()


def test_questions_and_answers_come_back_as_they_were(tokenizer):
    rng = np.random.default_rng(1)
    changed = []
    for seed in range(60):
        scene = fresh_scene(seed)
        for said in (*ask(scene, rng, 12), *ask(scene, rng, 0, LONG_FORMS)):
            changed += [t for t in (said.text, said.answer) if _back(tokenizer, t) != t]
    assert changed == []


@given(text=st.lists(PIECES, min_size=1, max_size=6).map(" ".join))
def test_words_it_does_not_know_are_spelled_and_come_back(tokenizer, text):
    assert _back(tokenizer, text) == text


def test_an_unknown_word_is_spelled_letter_by_letter(tokenizer):
    assert tokenizer.tokenize("zyx") == ["z", "##y", "##x"]


def test_capitals_and_accents_are_read_as_plain_lower_case(tokenizer):
    assert tokenizer.tokenize("What is in the CAFÉ?") == tokenizer.tokenize("what is in the cafe?")


@pytest.mark.parametrize("marker", [EXPLANATION, ANSWER])
def test_a_reply_marker_is_one_token_and_keeps_its_capitals(tokenizer, marker):
    reply = f"{marker} a red car."
    assert tokenizer.tokenize(reply)[0] == marker
    assert tokenizer.decode(tokenizer(reply).input_ids, skip_special_tokens=True) == reply


def test_a_chat_starts_with_its_pictures_where_they_were_sent(tokenizer):
    content = [
        {"type": "text", "text": "look:"},
        {"type": "image"},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "text", "text": "what is this?"},
    ]
    said = tokenizer.apply_chat_template([{"role": "user", "content": content}], tokenize=False)
    assert said == "<s><user>look:<image><image>what is this?"


def test_a_chat_marks_who_speaks_and_ends_the_assistants_turns(tokenizer):
    messages = [
        {"role": "user", "content": "is there a car?"},
        {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
        {"role": "user", "content": "what color?"},
    ]
    said = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert said == "<s><user>is there a car?<assistant>yes</s><user>what color?<assistant>"


def test_chat_markers_are_single_tokens(tokenizer):
    ids = tokenizer("<s><user><image>hi<assistant>yes</s>").input_ids
    pieces = tokenizer.convert_ids_to_tokens(ids)
    assert pieces == ["<s>", "<user>", "<image>", "h", "##i", "<assistant>", "yes", "</s>"]


def test_a_plain_tokenizer_adds_nothing_to_a_text(tokenizer):
    assert tokenizer.tokenize("a car") == tokenizer.convert_ids_to_tokens(
        tokenizer("a car").input_ids
    )


def test_a_wrapped_tokenizer_puts_each_text_between_start_and_end(words):
    wrapped = build_tokenizer(words, wrapped=True)
    ids = wrapped(["a red car", "a cat"], padding=True).input_ids
    assert [wrapped.convert_ids_to_tokens(row) for row in ids] == [
        ["<s>", "a", "red", "car", "</s>"],
        ["<s>", "a", "cat", "</s>", "<pad>"],
    ]


def test_a_batch_is_padded_on_the_left_so_that_replies_follow_their_prompts(tokenizer):
    ids = tokenizer(["a red car", "a cat"], padding=True).input_ids
    assert tokenizer.convert_ids_to_tokens(ids[1]) == ["<pad>", "a", "cat"]


def test_a_saved_tokenizer_reads_and_writes_as_before(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    text = f"{EXPLANATION} the red xylophone."
    assert loaded(text).input_ids == tokenizer(text).input_ids
    assert _back(loaded, text) == text
    assert loaded.chat_template == tokenizer.chat_template


def test_the_same_words_get_the_same_numbers_in_every_build(words, tokenizer):
    assert build_tokenizer(words).get_vocab() == tokenizer.get_vocab()


def test_words_are_found_once_in_lower_case_and_in_order():
    assert words_in(["The cat, the DOG.", "a cat-fish 7"]) == ["a", "cat", "dog", "fish", "the"]
