"""Questions about pictures with their right answers: what a behaviour is found and mended on.

    {"image": "a.png", "question": "is there a dog?", "answer": "no", "kind": "is there",
     "tags": ["beach"]}

Knows the protocol, and a .jsonl file of such lines, where kind and tags may be left out; nothing of
models. A model's answer counts as right if it begins with the one given, word for word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sae_core.errors import UserError
from sae_core.training.conversations import read_picture
from tools.labels import words_of


class Asked(BaseModel):
    """What is asked about a picture."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    question: str = Field(min_length=1, max_length=4000)
    answer: str = Field(min_length=1, max_length=4000)
    """The right one, as the model would write it."""
    kind: str = "question"
    """What sort of question it is: side effects are told for each."""
    tags: tuple[str, ...] = ()
    """What else is known of the picture, such as the place that it shows."""

    def about(self, thing: str | None, place: str | None) -> bool:
        """Whether the question is about this thing, and its picture tagged with this place."""
        named = thing is None or words_of(thing) <= words_of(self.question)
        return named and (place is None or words_of(place) <= words_of(" ".join(self.tags)))


class QuestionSet(Protocol):
    """Numbered questions that stay what they are."""

    @property
    def digest(self) -> str:
        """A hash of what they are."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...

    def asked(self, number: int) -> Asked:
        """One of them."""
        ...

    def picture(self, number: int) -> Image.Image:
        """The picture that it is about."""
        ...


class _Line(Asked):
    image: str = Field(min_length=1)


class QuestionFile:
    """A .jsonl file; paths of pictures count from the file's folder."""

    def __init__(self, path: Path, count: int | None = None) -> None:
        self.path = path
        try:
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The questions {path} can't be read: {error}.") from None
        self._lines = [self._read(at, line) for at, line in enumerate(lines[:count], 1)]
        if not self._lines:
            raise UserError(f"There are no questions in {path}: it needs one JSON object a line.")

    def _read(self, at: int, line: str) -> _Line:
        try:
            return _Line.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "it"
            raise UserError(
                f"{self.path}, question {at}: {place}: {first['msg']}. "
                "Give image, question and answer"
            ) from None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all questions and all pictures' bytes, in order."""
        running = hashlib.sha256()
        for line in self._lines:
            running.update(line.model_dump_json().encode())
            try:
                content = (self.path.parent / line.image).read_bytes()
            except OSError as error:
                raise UserError(
                    f"The picture {line.image} of {self.path} can't be read: {error.strerror}."
                ) from None
            running.update(hashlib.sha256(content).digest())
        return running.hexdigest()

    def __len__(self) -> int:
        return len(self._lines)

    def asked(self, number: int) -> Asked:
        """The question of a line."""
        return Asked(**self._lines[number].model_dump(exclude={"image"}))

    def picture(self, number: int) -> Image.Image:
        """The picture of a line."""
        return read_picture(self.path.parent / self._lines[number].image)


def evenly(numbers: Sequence[int], most: int) -> tuple[int, ...]:
    """So many of them at most, from the first to the last at even distances."""
    step = max(1.0, len(numbers) / most)
    return tuple(numbers[int(at * step)] for at in range(min(most, len(numbers))))
