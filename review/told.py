"""What models said beside what they said before, word by word: what is new stands out.

Knows words only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from review.bench import Said

_PIECE = re.compile(r"\s*\S+")


class Piece(NamedTuple):
    """Some words."""

    text: str
    new: bool
    """The unsteered reply has them not, or not here."""


class Reply(NamedTuple):
    """What is shown of one reply."""

    said: Said
    pieces: tuple[Piece, ...]
    same: bool
    """Word for word what the unsteered model says."""


def told_apart(replies: Sequence[Said]) -> tuple[Reply, ...]:
    """Each reply beside the first, which is the unsteered one."""
    return tuple(
        Reply(one, pieces(replies[0].text, one.text), at > 0 and one.text == replies[0].text)
        for at, one in enumerate(replies)
    )


def pieces(before: str, after: str) -> tuple[Piece, ...]:
    """A text in pieces that were there before, and pieces that were not."""
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    matcher = SequenceMatcher(None, [w.strip() for w in old], [w.strip() for w in new], False)
    return tuple(
        Piece("".join(new[start:stop]), kind != "equal")
        for kind, _, _, start, stop in matcher.get_opcodes()
        if start < stop
    )
