import json

import pytest
import torch

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.pictures.stored import StoredPictures
from sae_core.training.activations import Conversation, TensorStream, TokenStream, tokens_of
from sae_core.training.conversations import ChatFile, Shown
from tests.sae_core.small_models import BUILDERS, noise


@pytest.fixture(scope="module")
def adapter():
    return adapter_for(*BUILDERS["llava-next"]())


def talks(count=6):
    return [
        Conversation(Prompt((noise(30 + n, 20, n),), "what is it?"), "a" if n % 2 else "")
        for n in range(count)
    ]


def test_tokens_are_the_positions_asked_for(adapter):
    some = talks(2)
    inputs = adapter.prepare([c.prompt for c in some], replies=[c.reply for c in some])
    base = sum(len(layout.base()) for layout in inputs.layouts)
    everything = sum(int((layout.kind_T >= 0).sum()) for layout in inputs.layouts)
    breaks = sum(int((layout.kind_T == 3).sum()) for layout in inputs.layouts)
    assert len(tokens_of(adapter, some, "layers.0", "base")) == base
    assert len(tokens_of(adapter, some, "layers.0", "all")) == everything - breaks
    image = len(tokens_of(adapter, some, "layers.0", "image"))
    text = len(tokens_of(adapter, some, "layers.0", "text"))
    assert image + text == everything - breaks


def test_a_restored_stream_goes_on_exactly(adapter):
    def stream():
        return TokenStream(adapter, talks(), "layers.0", 16, block=3, at_once=2, seed=4)

    whole = stream()
    rows = [whole.take().clone() for _ in range(9)]
    for given in (1, 5, 8):
        first = stream()
        for _ in range(given):
            first.take()
        second = stream()
        second.restore(first.state())
        for n in range(given, 9):
            assert torch.equal(second.take(), rows[n])


def test_an_epoch_shows_every_conversation_once(adapter):
    stream = TokenStream(adapter, talks(), "layers.0", 4, block=2)
    seen = []
    for block in range(3):
        stream.block = block
        seen += stream._numbers()
    assert sorted(seen) == list(range(6))


def test_a_block_smaller_than_a_batch_is_refused(adapter):
    stream = TokenStream(adapter, talks(), "layers.0", 10_000, block=2)
    with pytest.raises(UserError, match="fewer than one batch of 10000"):
        stream.take()


def test_a_hook_point_that_does_not_exist_is_refused(adapter):
    with pytest.raises(UserError, match=r"layers\.9"):
        TokenStream(adapter, talks(), "layers.9", 4)


def test_tensors_are_dealt_once_an_epoch():
    x = torch.arange(12.0)[:, None]
    stream = TensorStream(x, 4)
    epoch = torch.cat([stream.take() for _ in range(3)])[:, 0]
    assert sorted(epoch.tolist()) == x[:, 0].tolist()


def test_a_chat_file_gives_pictures_question_and_reply(tmp_path):
    noise(10, 8, 0).save(tmp_path / "a.png")
    lines = [
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "image": "a.png"},
                        {"type": "text", "text": "what?"},
                    ],
                },
                {"role": "assistant", "content": "noise."},
            ]
        },
        {"messages": [{"role": "user", "content": "no picture"}]},
    ]
    path = tmp_path / "talks.jsonl"
    path.write_text("\n\n".join(json.dumps(line) for line in lines))
    found = ChatFile(path)
    assert len(found) == 2
    assert found[0].prompt.pictures[0].size == (10, 8)
    assert (found[0].prompt.text, found[0].reply) == ("what?", "noise.")
    assert found[1] == Conversation(Prompt((), "no picture"))
    assert [talk.reply for talk in found[0:2]] == ["noise.", ""]


@pytest.mark.parametrize("line", ["{", "[]", '{"messages": [{"role": "assistant"}]}'])
def test_a_line_that_is_no_chat_is_named(tmp_path, line):
    path = tmp_path / "talks.jsonl"
    path.write_text(line)
    with pytest.raises(UserError, match=r"talks\.jsonl, conversation 1 is not in chat format"):
        ChatFile(path)[0]


def test_pictures_are_shown_without_a_word_in_the_order_of_their_names(tmp_path):
    for name, seed in (("b.png", 1), ("a.png", 0)):
        noise(5, 5, seed).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    found = Shown(StoredPictures(tmp_path, tmp_path / "kept"))
    assert [talk.prompt.text for talk in found[0:2]] == ["", ""]
    assert found[0].prompt.pictures[0].tobytes() == noise(5, 5, 0).tobytes()
    assert len(found) == 2


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.jsonl can't be read"):
        ChatFile(tmp_path / "nothing.jsonl")


def test_an_unreadable_picture_of_a_conversation_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    content = [{"type": "image", "image": "broken.png"}, {"type": "text", "text": "what?"}]
    line = json.dumps({"messages": [{"role": "user", "content": content}]})
    (tmp_path / "talks.jsonl").write_text(line)
    with pytest.raises(UserError, match=r"broken\.png can't be read"):
        ChatFile(tmp_path / "talks.jsonl")[0]


def test_a_broken_picture_of_a_file_of_conversations_ends_no_training(adapter, tmp_path):
    noise(20, 20, 1).save(tmp_path / "whole.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "whole.png").read_bytes()[:40])
    shown = [
        [{"type": "image", "image": f"{name}.png"}, {"type": "text", "text": "what?"}]
        for name in ("whole", "broken", "gone")
    ]
    lines = [json.dumps({"messages": [{"role": "user", "content": one}]}) for one in shown]
    (tmp_path / "talks.jsonl").write_text("\n".join(lines))
    stream = TokenStream(adapter, ChatFile(tmp_path / "talks.jsonl"), "layers.0", 8)
    assert stream.take().shape[0] == 8
    assert sorted(stream.left_out) == [1, 2]


def test_processes_share_a_block_without_gap_or_overlap(adapter):
    stream = TokenStream(adapter, talks(), "layers.0", 4, block=5)
    stream.share = 2
    seen = []
    for stream.rank in range(2):
        seen.append(stream._numbers())
    assert abs(len(seen[0]) - len(seen[1])) <= 1
    stream.share, stream.rank = 1, 0
    assert sorted(seen[0] + seen[1]) == sorted(stream._numbers())


def test_one_process_goes_on_in_the_block_where_two_stopped(adapter):
    two = TokenStream(adapter, talks(), "layers.0", 8, block=4)
    two.share = 2
    while two.block < 1:
        assert len(two.take()) == 8
    one = TokenStream(adapter, talks(), "layers.0", 16, block=4)
    one.restore(two.state())
    assert len(one.take()) == 16
    assert (one.block, one.given) == (1, two.given + 1)


@pytest.mark.parametrize(
    ("other", "named"),
    [({"block": 2}, "block_size=3"), ({"seed": 5}, "seed=0"), ({"rows": 8}, "rows=16")],
)
def test_a_stream_of_other_settings_is_not_gone_on_with(adapter, other, named):
    settings = {"rows": 16, "block": 3, "seed": 0}
    state = TokenStream(adapter, talks(), "layers.0", **settings).state()
    changed = TokenStream(adapter, talks(), "layers.0", **(settings | other))
    with pytest.raises(UserError, match=named):
        changed.restore(state)
