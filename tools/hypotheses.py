"""What a feature may stand for: competing answers, and how many askings each one comes from.

Knows answers; nothing of who gave them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

_ARTICLE = re.compile(r"^(a|an|the)\s+")


class Hypothesis(BaseModel):
    """One answer."""

    model_config = ConfigDict(frozen=True)

    text: str
    """As the model put it first."""
    asked_of: tuple[int, ...]
    """The numbers of the pictures that those who gave it were shown."""
    votes: int
    """How many askings gave it."""


class Given(NamedTuple):
    """An answer to one asking."""

    text: str
    asked_of: tuple[int, ...] = ()


def merged(answers: Iterable[Given]) -> tuple[Hypothesis, ...]:
    """Equal answers as one, those with most votes first, else in the order in which they came."""
    groups: dict[str, list[Given]] = {}
    for answer in answers:
        groups.setdefault(_key(answer.text), []).append(answer)
    found = [
        Hypothesis(
            text=group[0].text,
            asked_of=tuple(dict.fromkeys(number for one in group for number in one.asked_of)),
            votes=len(group),
        )
        for group in groups.values()
    ]
    return tuple(sorted(found, key=lambda one: -one.votes))


def _key(text: str) -> str:
    """The same for answers that differ in nothing but capitals, an article or a full stop."""
    return _ARTICLE.sub("", text.casefold().strip(" ."))
