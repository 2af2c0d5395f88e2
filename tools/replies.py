"""What a reply says: one strict parser for each form that a prompt asks for.

Knows forms only; nothing of models or of what is done with an answer. A reply that says two things
says nothing. A fault never quotes the reply: it is told to models and planners.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from tools.wording import LONGEST, LONGEST_LABEL, plain

MARKERS = EXPLANATION, ANSWER, HYPOTHESIS = "[EXPLANATION]:", "[ANSWER]", "[HYPOTHESIS]"
UNABLE = "Unable to produce descriptions"
Category = Literal[
    "scene", "object", "part", "material", "texture", "color", "text", "emotion", "abstract",
    "low-level",
]  # fmt: skip
CATEGORIES: tuple[Category, ...] = get_args(Category)
"""The six of the paper and four more."""

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*\w*\s*")
_AROUND = " *`"
"""What Markdown puts around words."""


class Unreadable(Exception):
    """A reply does not keep to its form; the message says how, for the model to do better."""


class Described(BaseModel):
    """There is a description."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["described"] = "described"
    text: str


class Undescribed(BaseModel):
    """The model says that there is nothing to describe: an answer, and no failure."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["undescribed"] = "undescribed"


Outcome = Annotated[Described | Undescribed, Field(discriminator="kind")]


def explanation(reply: str) -> Described | Undescribed:
    """The last line, after its marker."""
    return _marked(_lines(reply), EXPLANATION, LONGEST)


def label(reply: str) -> Described | Undescribed:
    """The last line, after its marker; or that there is none, which needs no marker."""
    lines = _lines(reply)
    if _only_unable(lines):
        return Undescribed()
    return _marked(lines, ANSWER, LONGEST_LABEL)


def hypotheses(reply: str, most: int) -> tuple[str, ...]:
    """The last lines, each after a marker; none at all if the model says that there are none."""
    lines = _lines(reply)
    if _only_unable(lines):
        return ()
    said = _count(lines, HYPOTHESIS)
    last = [line for line in lines[-said:] if line.startswith(HYPOTHESIS)]
    if not said or len(last) != said:
        raise Unreadable(f"it does not end with lines that each begin with {HYPOTHESIS}")
    if said > most:
        raise Unreadable(f"it has {said} lines with {HYPOTHESIS} where at most {most} are wanted")
    _refuse_unable(lines)
    found: dict[str, str] = {}
    for line in last:
        text = _text(line.removeprefix(HYPOTHESIS), LONGEST)
        found.setdefault(text.casefold(), text)
    return tuple(found.values())


def category(reply: str) -> Category:
    """The whole reply is the name of one class."""
    said = _whole(reply).rstrip(".").casefold()
    for one in CATEGORIES:
        if said == one:
            return one
    raise Unreadable(f"it is not one of {', '.join(CATEGORIES)} and nothing else")


def verdict(reply: str) -> Literal[0, 1]:
    """The whole reply is 0 or 1."""
    match _whole(reply).rstrip("."):
        case "0":
            return 0
        case "1":
            return 1
    raise Unreadable("it is not 0 or 1 and nothing else")


def saying(reply: str) -> Described | Undescribed:
    """Free words, cut where they go on for too long; nothing, if there are none."""
    said = plain(reply)[:LONGEST].strip()
    return Described(text=said) if any(map(str.isalnum, said)) else Undescribed()


def _lines(reply: str) -> list[str]:
    """The lines that say something, without Markdown around them."""
    bare = [line for line in reply.splitlines() if not _FENCE.fullmatch(line)]
    lines = [plain(line).strip(_AROUND) for line in bare]
    if not any(lines):
        raise Unreadable("it is empty")
    return [line for line in lines if line]


def _whole(reply: str) -> str:
    lines = _lines(reply)
    if len(lines) > 1:
        raise Unreadable("it has more than one line")
    return lines[0]


def _marked(lines: Sequence[str], marker: str, longest: int) -> Described | Undescribed:
    if (said := _count(lines, marker)) != 1:
        raise Unreadable(f"it has {marker} {said} times, not once")
    if not lines[-1].startswith(marker):
        raise Unreadable(f"its last line does not begin with {marker}")
    _refuse_unable(lines)
    after = lines[-1].removeprefix(marker)
    return Undescribed() if _unable(after) else Described(text=_text(after, longest))


def _count(lines: Sequence[str], marker: str) -> int:
    """How often a marker occurs, in capitals or not, since each may be an answer."""
    return sum(line.casefold().count(marker.rstrip(":").casefold()) for line in lines)


def _only_unable(lines: Sequence[str]) -> bool:
    return _unable(lines[-1]) and not any(_count(lines, marker) for marker in MARKERS)


def _refuse_unable(lines: Sequence[str]) -> None:
    if any(_unable(line) for line in lines):
        raise Unreadable("it gives a description and says that there is none")


def _unable(text: str) -> bool:
    return text.strip(f"{_AROUND}.!'\"").casefold() == UNABLE.casefold()


def _text(text: str, longest: int) -> str:
    said = text.strip(_AROUND)
    if not any(map(str.isalnum, said)):
        raise Unreadable("there is nothing after the marker")
    if UNABLE.casefold() in said.casefold():
        raise Unreadable("it gives a description and says that there is none")
    if len(said) > longest:
        raise Unreadable(f"it is {len(said)} characters long, and at most {longest} are wanted")
    return said
