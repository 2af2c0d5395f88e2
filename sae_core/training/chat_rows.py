"""Conversations from Parquet files: a column of turns beside a column of pictures.

Knows two ways to write turns: `conversations` of `from` and `value`, as LLaVA's data has it, and
`messages` of `role` and `content`. Of each row the first user turn counts, and what is replied.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.pictures.decoding import Unreadable, picture_of
from sae_core.pictures.tables import PICTURE, Rows, bytes_of
from sae_core.training.activations import Broken, Conversation
from sae_core.training.conversations import Lazy

TURNS = ("conversations", "messages")
SPEAKERS = {"human": "user", "gpt": "assistant"}
MARK = "<image>"
"""What stands for the picture in LLaVA's texts: each adapter has its own way to say so."""


class ChatRows(Lazy):
    """The rows of some Parquet files, one after the other."""

    def __init__(self, paths: Sequence[Path], count: int | None = None) -> None:
        self.tables = [Rows(path, TURNS, PICTURE) for path in paths]
        self.ends = list(accumulate(len(table) for table in self.tables))
        self.size = min(count or self.ends[-1], self.ends[-1])

    def __len__(self) -> int:
        return self.size

    def one(self, index: int) -> Conversation:
        """The conversation of a row."""
        number = bisect_right(self.ends, index)
        table = self.tables[number]
        row = index - (self.ends[number - 1] if number else 0)
        turns, cell = table.row(row)
        try:
            said = dict(_turn(turn) for turn in reversed(turns))
            data = bytes_of(cell)
            pictures = () if data is None else (picture_of(data),)
            return Conversation(Prompt(pictures, _plain(said["user"])), said.get("assistant", ""))
        except Unreadable as error:
            raise Broken(
                f"The picture in row {row} of {table.path} can't be read: {error}"
            ) from None
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{table.path}, row {row} is no conversation ({type(error).__name__}: {error}): "
                f"turns of from and value, or role and content, are expected. Take it out"
            ) from None


def _turn(turn: Mapping[str, Any]) -> tuple[str, str]:
    if "from" in turn:
        return SPEAKERS.get(turn["from"], turn["from"]), turn["value"]
    content = turn["content"]
    if not isinstance(content, str):
        content = "\n".join(part["text"] for part in content if part.get("text"))
    return turn["role"], content


def _plain(text: str) -> str:
    return text.replace(MARK, "").strip()
