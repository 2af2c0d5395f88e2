"""Pages of long lists: each is found by where the last one ended, however far down that is.

Knows marks in addresses; nothing of what is listed.
"""

from __future__ import annotations

import json
from typing import Generic, NamedTuple, TypeVar

from agent.errors import WontWork

T = TypeVar("T")
Key = tuple[str | int | float, ...]
"""What rows are ordered by, and different for each of them."""


class Page(NamedTuple, Generic[T]):
    """Some rows of a list."""

    rows: tuple[T, ...]
    after: str | None
    """The mark of the page that follows; None: this is the last one."""


class NoMark(WontWork):
    """An address was changed by hand: what should say where a page begins does not."""


def mark(*key: str | float) -> str:
    """Where a page ended, as text for an address."""
    return json.dumps(key, separators=(",", ":"))


def key_of(text: str, *kinds: type) -> Key:
    """The key in a mark; NoMark if it is not of these kinds."""
    try:
        key = json.loads(text)
    except ValueError:
        raise NoMark(f"{text[:40]!r} marks no page. Begin at the first one") from None
    fits = isinstance(key, list) and len(key) == len(kinds)
    if not fits or not all(map(_is, key, kinds)):
        raise NoMark(f"{text[:40]!r} marks no page of this list. Begin at the first one")
    return tuple(key)


def _is(value: object, kind: type) -> bool:
    """Whether a value of JSON is of a kind that SQLite can take."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return kind in (int, float) and abs(value) < 2**63
    return isinstance(value, kind)


def contains(words: str) -> str:
    """A pattern for LIKE with ESCAPE '!': these words, whatever signs they have."""
    escaped = words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
