"""Packed turns: a model computes for each what it would compute for that turn alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from toybox.packing import IGNORE, Packed, Turn, pack, to

PREFIX = [1, 2, 3]
ROWS = [
    [Turn([5, 6, 7], [8, 9]), Turn([10, 11], [12]), Turn([5, 13], [14, 15, 16])],
    [Turn([20, 21], [22, 9])],
]
FEW = settings(max_examples=40)
TOKENS = st.integers(1, 49)
TURNS = st.builds(
    Turn, st.lists(TOKENS, min_size=1, max_size=4), st.lists(TOKENS, min_size=1, max_size=3)
)
BATCHES = st.lists(st.lists(TURNS, min_size=1, max_size=4), min_size=1, max_size=3)
PREFIXES = st.lists(TOKENS, min_size=1, max_size=4)


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(vocab_size=50, max_position_embeddings=64, **shape, **heads)
    return LlamaForCausalLM(config).eval()


def _spans(packed: Packed, row: list[Turn]) -> list[slice]:
    """Where each turn of a row lies."""
    ends = packed.prefix + np.cumsum([len(t.asked) + len(t.answer) for t in row])
    starts = [packed.prefix, *ends[:-1]]
    return [slice(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


@torch.no_grad()
def test_packed_turns_get_the_logits_that_each_gets_alone_after_the_prefix(model):
    packed = pack(ROWS, PREFIX)
    together = model(
        input_ids=packed.tokens, attention_mask=packed.mask, position_ids=packed.positions
    ).logits
    for b, row in enumerate(ROWS):
        for turn, span in zip(row, _spans(packed, row), strict=True):
            alone = model(input_ids=torch.tensor([[*PREFIX, *turn.asked, *turn.answer]])).logits[0]
            ours = torch.cat([together[b, : len(PREFIX)], together[b, span]])
            torch.testing.assert_close(ours, alone, rtol=0, atol=1e-5)


@FEW
@given(BATCHES, PREFIXES)
def test_a_turn_sees_the_prefix_and_itself_up_to_now_and_no_other_turn(rows, prefix):
    packed = pack(rows, prefix)
    for b, row in enumerate(rows):
        for span in _spans(packed, row):
            for at in range(span.start, span.stop):
                seen = packed.mask[b, 0, at].nonzero()[:, 0].tolist()
                assert seen == [*range(len(prefix)), *range(span.start, at + 1)]


@FEW
@given(BATCHES, PREFIXES)
def test_the_prefix_sees_only_itself_up_to_now(rows, prefix):
    packed = pack(rows, prefix)
    start, width = len(prefix), packed.tokens.shape[1]
    wanted = torch.ones(start, width).tril().bool()
    assert all(torch.equal(mask[0, :start], wanted) for mask in packed.mask)


@FEW
@given(BATCHES, PREFIXES)
def test_every_row_of_the_mask_sees_something_so_that_attention_is_never_nan(rows, prefix):
    assert pack(rows, prefix).mask.any(-1).all()


@FEW
@given(BATCHES, PREFIXES)
def test_tokens_lie_in_their_order_behind_the_prefix(rows, prefix):
    packed = pack(rows, prefix)
    for b, row in enumerate(rows):
        wanted = [*prefix, *(token for turn in row for part in turn for token in part)]
        assert packed.tokens[b, : len(wanted)].tolist() == wanted


@FEW
@given(BATCHES, PREFIXES)
def test_each_turn_counts_its_positions_on_from_the_prefix(rows, prefix):
    packed = pack(rows, prefix)
    for b, row in enumerate(rows):
        assert packed.positions[b, : len(prefix)].tolist() == list(range(len(prefix)))
        for span in _spans(packed, row):
            wanted = list(range(len(prefix), len(prefix) + span.stop - span.start))
            assert packed.positions[b, span].tolist() == wanted


@FEW
@given(BATCHES, PREFIXES)
def test_a_position_is_to_say_the_next_token_of_its_answer_and_all_others_nothing(rows, prefix):
    packed = pack(rows, prefix)
    wanted = torch.full_like(packed.labels, IGNORE)
    for b, row in enumerate(rows):
        for turn, span in zip(row, _spans(packed, row), strict=True):
            for i, token in enumerate(turn.answer):
                wanted[b, span.start + len(turn.asked) - 1 + i] = token
    assert torch.equal(packed.labels, wanted)


@FEW
@given(BATCHES, PREFIXES)
def test_only_what_is_to_be_said_weighs(rows, prefix):
    packed = pack(rows, prefix)
    assert torch.equal(packed.weights > 0, packed.labels != IGNORE)


def test_a_long_answer_weighs_more_than_a_short_one_but_not_word_for_word():
    packed = pack([[Turn([1], [2] * 9), Turn([1], [2])]], PREFIX)
    long, short = (packed.weights[0, span].sum().item() for span in _spans(packed, [
        Turn([1], [2] * 9), Turn([1], [2]),
    ]))  # fmt: skip
    assert (long, short) == pytest.approx((3.0, 1.0))


def test_a_batch_that_is_sent_to_a_device_keeps_everything():
    packed = pack(ROWS, PREFIX)
    moved = to(packed, torch.device("cpu"))
    assert moved.prefix == packed.prefix
    assert all(torch.equal(a, b) for a, b in zip(moved[:-1], packed[:-1], strict=True))
