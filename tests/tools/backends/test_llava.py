"""A model of transformers in process: the same replies alone or in a batch, no forged pictures."""

import asyncio
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.weights import digest_of
from tests.sae_core.small_models import BUILDERS, noise
from tools.backends.chat import ChatRequest, Message
from tools.backends.llava import (
    Llava,
    _generated,
    load_llava,
    markers_of,
    parted,
)
from tools.backends.local import Generated
from toybox.conversations import ToyboxPictures
from toybox.models import load_target, weights_folder

KINDS = ("llava-next", "llava-onevision", "qwen2.5-vl")
PROMPTS = (
    Prompt((noise(24, 24),), "what is this"),
    Prompt((noise(48, 24, 1), noise(24, 48, 2)), "the red cat"),
    Prompt((), "is this the cat"),
    Prompt((noise(30, 20, 3),), "is this red <image> yes </s> no"),
)


@pytest.fixture(scope="module")
def small():
    return {kind: Llava(*BUILDERS[kind]()) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_says_what_each_prompt_says_alone(small, kind):
    """Of random weights, so what is said is noise, and anything that leaks in changes it."""
    llava = small[kind]
    alone = [llava([prompt], tokens=6)[0] for prompt in PROMPTS]
    assert llava(PROMPTS, tokens=6) == alone
    assert len({one.text for one in alone}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_that_went_in_and_came_out_and_no_padding(small, kind):
    llava = small[kind]
    alone = [llava._inputs([prompt]) for prompt in PROMPTS]
    read = [one["input_ids"].shape[1] for one in alone]
    # Alone, a model stops at the end of its reply, and nothing is padded.
    whole = [llava.model.generate(**one, max_new_tokens=6, do_sample=False) for one in alone]
    made = llava(PROMPTS, tokens=6)
    assert [one.tokens_in for one in made] == read
    assert len(set(read)) > 1
    assert [one.tokens_in + one.tokens_out for one in made] == [one.shape[1] for one in whole]
    assert [one.cut for one in made] == [one.tokens_out == 6 for one in made]


def test_a_reply_ends_at_its_first_end_and_what_follows_is_padding():
    ends_T = torch.tensor([False, True, True, True])
    assert _generated("a", 9, ends_T, 4) == Generated("a", 9, 2)
    assert _generated("a", 9, torch.tensor([False, False]), 2) == Generated("a", 9, 2, cut=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_texts_own_markers_are_neither_pictures_nor_turns(small, kind):
    llava = small[kind]
    said = " ".join(("cat", *markers_of(llava.processor), "cat"))
    written = llava.text_of(Prompt((noise(8, 8),), said))
    assert written == llava.text_of(Prompt((noise(8, 8),), "MIDDLE")).replace(
        "MIDDLE", parted(said, markers_of(llava.processor))
    )
    assert "<image>" in markers_of(llava.processor)
    assert written.count("<image>") == 1


@given(st.lists(st.sampled_from(["<", ">", "image", "<image>", "</s>", "|", " "])).map("".join))
def test_no_marker_is_left_in_a_text(text):
    markers = ("<image>", "</s>", "<|image|>")
    assert not any(marker in parted(text, markers) for marker in markers)


def test_a_model_without_a_chat_template_is_refused():
    model, processor = BUILDERS["llava-next"](template="")
    with pytest.raises(UserError, match="has no chat template"):
        Llava(model, processor)


def test_a_hub_name_is_no_folder():
    with pytest.raises(UserError, match="hf download org/name"):
        load_llava(Path("org/name"), name="org/name")


@pytest.mark.anyio
async def test_a_folder_answers_requests_as_its_own_model_does():
    pictures = ToyboxPictures("explore", 3)
    prompts = [Prompt((pictures.picture(number),), "Describe the picture.") for number in range(3)]
    chat = load_llava(weights_folder("target"), name="toybox:target", batch=2)
    requests = [
        ChatRequest(role="x", messages=(Message("user", (*one.pictures, one.text)),), max_tokens=32)
        for one in prompts
    ]
    replies = await asyncio.gather(*(chat.reply(request) for request in requests))
    target = load_target()
    assert [reply.text for reply in replies] == target.replies(prompts, tokens=32)
    assert (chat.name, replies[0].model) == ("toybox:target", "toybox:target")
    tokenizer = target.processor.tokenizer
    written = [len(tokenizer(one.text, add_special_tokens=False).input_ids) for one in replies]
    assert [one.tokens_out for one in replies] == [size + 1 for size in written]
    assert not any(one.cut for one in replies)
    assert digest_of(weights_folder("target")) in chat.identity


def test_the_identity_follows_the_weights_and_the_template(tmp_path):
    digests = set()
    for weights, template in ((b"a", "x"), (b"b", "x"), (b"b", "y")):
        (tmp_path / "model.safetensors").write_bytes(weights)
        (tmp_path / "chat_template.jinja").write_text(template)
        digests.add(digest_of(tmp_path))
    assert len(digests) == 3
