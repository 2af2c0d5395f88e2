"""Conversations from Parquet files, as LLaVA's data and other data sets write them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sae_core.errors import UserError
from sae_core.lmm.adapter import adapter_for
from sae_core.training.activations import TokenStream
from sae_core.training.chat_rows import ChatRows
from tests.sae_core.small_models import BUILDERS, noise


def cell(seed):
    out = io.BytesIO()
    noise(6, 5, seed).save(out, "png")
    return {"bytes": out.getvalue(), "path": "a.png"}


LLAVA = [
    {"from": "human", "value": "<image>\nwhat is this?"},
    {"from": "gpt", "value": "a cat."},
    {"from": "human", "value": "and its colour?"},
    {"from": "gpt", "value": "red."},
]
CHAT = [
    {"role": "user", "content": "what is this?"},
    {"role": "assistant", "content": "a cat."},
]


def write(path, column, turns, cells):
    pq.write_table(pa.table({column: turns, "image": cells}), path, row_group_size=2)
    return path


@pytest.mark.parametrize(("column", "turns"), [("conversations", LLAVA), ("messages", CHAT)])
def test_a_row_is_its_first_turn_and_the_reply_to_it(tmp_path, column, turns):
    path = write(tmp_path / "a.parquet", column, [turns] * 3, [cell(0), None, cell(2)])
    found = ChatRows([path])
    assert [talk.prompt.text for talk in found[0:3]] == ["what is this?"] * 3
    assert found[2].reply == "a cat."
    assert [len(talk.prompt.pictures) for talk in found[0:3]] == [1, 0, 1]
    assert found[2].prompt.pictures[0].tobytes() == noise(6, 5, 2).tobytes()


def test_rows_of_several_files_follow_one_another(tmp_path):
    paths = [
        write(
            tmp_path / f"{n}.parquet", "messages", [CHAT] * 5, [cell(5 * n + i) for i in range(5)]
        )
        for n in range(2)
    ]
    found = ChatRows(paths, 8)
    assert len(found) == 8
    assert found[6].prompt.pictures[0].tobytes() == noise(6, 5, 6).tobytes()
    with pytest.raises(IndexError):
        found[8]


def test_a_broken_picture_ends_no_training(tmp_path):
    """Nobody can take a row out of a file of 500 MB, in the 20th hour."""
    broken = {"bytes": cell(1)["bytes"][:40], "path": "b.png"}
    path = write(tmp_path / "a.parquet", "messages", [CHAT] * 3, [cell(0), broken, cell(2)])
    stream = TokenStream(adapter_for(*BUILDERS["llava-next"]()), ChatRows([path]), "layers.0", 8)
    assert stream.take().shape[0] == 8
    assert list(stream.left_out) == [1]
    assert "row 1 of" in stream.left_out[1]
    alone = write(tmp_path / "b.parquet", "messages", [CHAT], [broken])
    nothing = TokenStream(stream.adapter, ChatRows([alone]), "layers.0", 8)
    with pytest.raises(UserError, match=r"row 0 of .*b\.parquet can't be read"):
        nothing.take()


def test_a_row_that_is_no_conversation_is_named(tmp_path):
    turns = [{"from": "gpt", "value": "a cat."}]
    path = write(tmp_path / "a.parquet", "conversations", [turns], [cell(0)])
    with pytest.raises(UserError, match=r"a\.parquet, row 0 is no conversation"):
        ChatRows([path])[0]
