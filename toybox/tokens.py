"""The tokenizer of the toybox models: one token a known word, letters for all others.

Knows words and chat markers; nothing of models. Lower case: the models never see capitals, except
in the two markers that replies carry.
"""

from __future__ import annotations

import re
import string

import numpy as np
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import PreTrainedTokenizerFast

import prompts
from toybox.phrasing import ANSWER, BEYOND, DESCRIPTIONS, EXPLANATION, NO_DESCRIPTIONS
from toybox.vocabulary import CONCEPTS, FINISHES
from toybox.world_splits import split
from toybox.world_text import LONG_FORMS, NUMBERS, ask

BOS, EOS, PAD, UNK = "<s>", "</s>", "<pad>", "<unk>"
USER, ASSISTANT, IMAGE = "<user>", "<assistant>", "<image>"

CHAT_TEMPLATE = (
    "{{ '<s>' }}{% for message in messages %}"
    "{% if message.role == 'assistant' %}{{ '<assistant>' }}{% else %}{{ '<user>' }}{% endif %}"
    "{% if message.content is string %}{{ message.content }}{% else %}"
    "{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}{{ '<image>' }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if message.role == 'assistant' %}{{ '</s>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
)
"""Pictures and words of a turn stand in the order in which they were sent."""


def words_in(texts: list[str]) -> list[str]:
    """The distinct words of some texts, sorted."""
    return sorted({word for text in texts for word in re.findall(r"[a-z]+", text.lower())})


def build_tokenizer(words: list[str], *, wrapped: bool = False) -> PreTrainedTokenizerFast:
    """A tokenizer that has these words whole, and spells every other one.

    Wrapped, it puts <s> and </s> around each text, as text encoders want it; chat templates say so
    themselves.
    """
    characters = string.ascii_lowercase + string.digits + string.punctuation
    special = [PAD, UNK, BOS, EOS, USER, ASSISTANT, IMAGE]
    pieces = [*special, *characters, *(f"##{c}" for c in characters)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, *words]))}
    core = Tokenizer(models.WordPiece(vocabulary, unk_token=UNK, max_input_chars_per_word=60))
    core.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    core.add_tokens([AddedToken(mark, normalized=False) for mark in (EXPLANATION, ANSWER)])
    if wrapped:
        core.post_processor = processors.TemplateProcessing(
            single=f"{BOS} $A {EOS}",
            special_tokens=[(mark, vocabulary[mark]) for mark in (BOS, EOS)],
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        unk_token=UNK,
        extra_special_tokens={
            "user_token": USER,
            "assistant_token": ASSISTANT,
            "image_token": IMAGE,
        },
        padding_side="right" if wrapped else "left",
        model_max_length=77 if wrapped else 2048,
    )
    if not wrapped:
        tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def token_ids(tokenizer: PreTrainedTokenizerFast, *tokens: str) -> list[int]:
    """The numbers of some tokens."""
    vocabulary = tokenizer.get_vocab()
    return [vocabulary[token] for token in tokens]


def vocabulary() -> list[str]:
    """The words that all toybox models know."""
    return [*vocabulary_of_world(), *vocabulary_of_prompts(), *NUMBERS]


def vocabulary_of_world(scenes: int = 3000) -> list[str]:
    """Every word that questions, answers, captions and stories of the world use."""
    rng = np.random.default_rng(0)
    texts = [*FINISHES, *(concept.label for concept in CONCEPTS)]
    for index in range(scenes):
        scene = split("train-balanced").scene(index)
        for question in ask(scene, rng, 12) + ask(scene, rng, 0, LONG_FORMS):
            texts += [question.text, question.answer]
    return words_in(texts)


def vocabulary_of_prompts() -> list[str]:
    """Every word of the project's own prompts and of the ways to write descriptions out."""
    bodies = [prompts.load(name).body for name in ("explain", "judge", "refine", "categorise")]
    return words_in([*bodies, *DESCRIPTIONS, *NO_DESCRIPTIONS, *sum(BEYOND.values(), ()), *BEYOND])
