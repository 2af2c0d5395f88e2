"""Conversations from a file: one JSON object a line, messages in chat format, pictures by path.

    {"messages": [{"role": "user", "content": [{"type": "image", "image": "a.png"},
                                               {"type": "text", "text": "what is this?"}]},
                  {"role": "assistant", "content": "a cat."}]}

Knows that format, and pictures that are shown without a word; nothing of models. Lines are found
once, read when they are needed.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from PIL import Image

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.pictures.decoding import Unreadable, picture_of
from sae_core.training.activations import Broken, Conversation

if TYPE_CHECKING:
    from sae_core.index.observer import PictureSet


def read_picture(path: Path) -> Image.Image:
    """The picture at a path, whole, in RGB."""
    try:
        return picture_of(path.read_bytes())
    except (OSError, Unreadable) as error:
        raise Broken(
            f"The picture {path} can't be read: {error}. Take it out of the set."
        ) from None


class Lazy(Sequence[Conversation]):
    """A sequence of conversations that are made one at a time."""

    @abstractmethod
    def one(self, index: int) -> Conversation:
        """The conversation at this place."""

    @overload
    def __getitem__(self, index: int) -> Conversation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Conversation]: ...
    def __getitem__(self, index: int | slice) -> Conversation | list[Conversation]:
        if isinstance(index, slice):
            return [self.one(i) for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.one(index)


class ChatFile(Lazy):
    """A .jsonl file of conversations; paths of pictures count from the file's folder."""

    def __init__(self, path: Path, count: int | None = None) -> None:
        self.path, self.starts = path, []
        at = 0
        try:
            with path.open("rb") as file:
                for line in file:
                    if line.strip():
                        self.starts.append(at)
                    at += len(line)
        except OSError as error:
            raise UserError(f"The data set {path} can't be read: {error.strerror}.") from None
        del self.starts[len(self.starts) if count is None else count :]

    def __len__(self) -> int:
        return len(self.starts)

    def one(self, index: int) -> Conversation:
        """The conversation of a line: the first user turn, and what is replied to it."""
        with self.path.open("rb") as file:
            file.seek(self.starts[index])
            line = file.readline()
        try:
            messages = json.loads(line)["messages"]
            turns = {m["role"]: m["content"] for m in reversed(messages)}
            return self._read(turns["user"], turns.get("assistant", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"{self.path}, conversation {index + 1} is not in chat format "
                f"({type(error).__name__}: {error}): messages with role and content are expected."
            ) from None

    def _read(self, asked: Any, said: Any) -> Conversation:
        parts = [{"type": "text", "text": asked}] if isinstance(asked, str) else asked
        reply = said if isinstance(said, str) else "".join(p.get("text", "") for p in said)
        pictures = [p.get("image") or p["path"] for p in parts if p["type"] == "image"]
        text = "\n".join(p["text"] for p in parts if p["type"] == "text")
        found = tuple(read_picture(self.path.parent / name) for name in pictures)
        return Conversation(Prompt(found, text), reply)


class Shown(Lazy):
    """A numbered set of pictures, each shown without a word."""

    def __init__(self, pictures: PictureSet) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def one(self, index: int) -> Conversation:
        """The picture of this number, alone."""
        return Conversation(Prompt((self.pictures.picture(index),), ""))
