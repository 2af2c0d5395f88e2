"""Words that came from outside, from a model or a person: one line, bounded, and nothing but data.

Knows characters, and what markers of chat templates look like; nothing of prompts or replies.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST = 600
"""Characters of a description, at most."""
LONGEST_LABEL = 120

_MARKER = re.compile(r"<(?=[^\s<>]{1,40}>)|\[(?=/?INST\])")


def plain(text: str) -> str:
    """One line of printable characters; what is invisible is left out."""
    seen = "".join(_seen(character) for character in text)
    return " ".join(seen.split())


def unmarked(text: str) -> str:
    """The text with nothing in it that a chat template could take for a marker of its own."""
    return _MARKER.sub(lambda marker: f"{marker[0]} ", text)


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    # Left out and not replaced: a soft hyphen or a direction mark stands within a word.
    return "" if unicodedata.category(character) == "Cf" else " "


Description = Annotated[str, AfterValidator(plain), Field(min_length=1, max_length=LONGEST)]
"""What somebody says a feature stands for."""
Label = Annotated[str, AfterValidator(plain), Field(min_length=1, max_length=LONGEST_LABEL)]
"""The same in a few words."""
