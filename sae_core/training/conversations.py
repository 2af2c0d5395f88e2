"""Conversations from a file: one JSON object a line, messages in chat format, pictures by path.

    {"messages": [{"role": "user", "content": [{"type": "image", "image": "a.png"},
                                               {"type": "text", "text": "what is this?"}]},
                  {"role": "assistant", "content": "a cat."}]}

Knows that format; nothing of models. Lines are found once, read when they are needed.
"""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from PIL import Image, UnidentifiedImageError

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.training.activations import Conversation

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"}


def read_picture(path: Path) -> Image.Image:
    """The picture at a path, whole, in RGB."""
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(
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


class PictureFolder(Lazy):
    """All pictures under a folder, in the order of their names, each shown without a word."""

    def __init__(self, folder: Path, count: int | None = None) -> None:
        self.paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES)[:count]
        if not self.paths:
            raise UserError(
                f"No pictures under {folder}: looked for {', '.join(sorted(PICTURES))}."
            )

    def __len__(self) -> int:
        return len(self.paths)

    def one(self, index: int) -> Conversation:
        """The picture at this place, alone."""
        return Conversation(Prompt((read_picture(self.paths[index]),), ""))


def conversations_at(path: Path, count: int | None = None) -> Sequence[Conversation]:
    """A .jsonl file of conversations or a folder of pictures; all, or the first ones."""
    if path.is_dir():
        return PictureFolder(path, count)
    if path.suffix == ".jsonl":
        return ChatFile(path, count)
    raise UserError(f"No data set at {path}: give a .jsonl file in chat format, or a folder.")


class PictureFiles:
    """The pictures under a folder as a numbered set."""

    def __init__(self, folder: Path, count: int | None = None) -> None:
        self.paths = PictureFolder(folder, count).paths

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all their bytes, in order."""
        running = hashlib.sha256()
        for path in self.paths:
            running.update(hashlib.sha256(path.read_bytes()).digest())
        return running.hexdigest()

    def __len__(self) -> int:
        return len(self.paths)

    def picture(self, number: int) -> Image.Image:
        """One of them."""
        return read_picture(self.paths[number])
