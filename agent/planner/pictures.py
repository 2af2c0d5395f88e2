"""Pictures in a request: `test picture 17`, `picture 7`, `explore 33`, `number 4 of the test set`.

Knows how pictures are named; nothing of which there are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.english import PICTURE, rule
from tools.evidence import Split
from tools.picture_id import PictureId

_SPLITS: dict[str, Split] = {"e": "explore", "v": "validate", "t": "test", "h": "test"}
_SET = r"(?:[- ]?(?:set|split|data|dataset|partition|pool)(?:'s)?)?"
_MARK = r"(?:\s*(?:numbers?|no\.?|nos\.|nr\.?|ids?|index|idx|\#|:|/|=|\())*"
_OF = r"(?:of|in|from|on|within)\s+(?:the\s+)?"


def _split(name: str) -> str:
    """A split, as a group of this name."""
    told = "explor(?:e|ation|ing)|valid(?:ate|ation|ating)|val|test(?:ing)?|held[- ]out"
    return rf"(?P<{name}>{told}){_SET}"


def _digits(name: str) -> str:
    """One number or several, as a group of this name."""
    more = rf"\s*(?:,|,?\s*\band\b|&)\s*(?:{PICTURE}\s+)?\d+(?!\s*(?:features?|most)\b)"
    return rf"(?P<{name}>\d+(?:{more})*)(?!\w)"


_NTH = r"(?P<nth>\d+)(?:st|nd|rd|th)"
_KINDS = (
    rf"(?:{PICTURE}|artefacts?|artifacts?)?{_MARK}\s*\b(?P<artefact>[0-9a-f]{{64}})\b",
    rf"\b{_split('before')}\s*,?\s*{PICTURE}?{_MARK}\s*{_digits('after_split')}",
    rf"\b{_NTH}\s+(?:{_split('nth_split')}\s+)?{PICTURE}\b(?:\s+{_OF}{_split('nth_of')})?",
    rf"""\b{PICTURE}{_MARK}\s*{_digits("after_word")}
    (?:\s*,?\s*\(?(?:{_OF})?{_split("behind")}(?:\s+{PICTURE})?\)?(?!\w))?""",
    rf"\b{PICTURE}\b[^.;:?!\d]{{0,30}},\s*(?:it's\s+)?(?:number|no\.|nr\.?)\s*(?P<aside>\d+)(?!\w)",
    rf"(?:\b(?:number|no\.|item)\s*|\#)?(?<!\w)(?P<of>\d+)\s+{_OF}{_split('of_split')}(?!\w)",
)
_REFERENCE = rule("|".join(f"(?:{kind})" for kind in _KINDS))
_SPLIT_NAMES = ("before", "nth_split", "nth_of", "behind", "of_split")
_DIGITS = ("after_split", "nth", "after_word", "aside", "of")
# `Explore 33` is a picture, but as a command it is a feature.
_COMMAND = rule(r"\s*explor(?:e|ing)\s+\#?\d+")
_SHOWN = rule(rf"\b(?:this|that|the\s+same|the\s+last|the\s+previous)\s+{PICTURE}(?!\w)")


class Pictures(NamedTuple):
    """The pictures that a text names, and the text with placeholders instead."""

    named: tuple[PictureId, ...]
    taken_for_granted: bool
    """No split was said for one of them."""
    shown: bool
    """`This picture` is spoken of: the one that was asked about before."""
    left: str

    @property
    def assumed(self) -> tuple[str, ...]:
        """What is taken for granted of them."""
        if not self.taken_for_granted:
            return ()
        bare = (one for one in self.named if one.split == "explore" and one.artefact is None)
        return tuple(f"picture {one.number} is the explore split's" for one in bare)


def pictures_in(text: str) -> Pictures:
    """All references to pictures."""
    start = command.end() if (command := _COMMAND.match(text)) else 0
    named: list[PictureId] = []
    bare = False

    def put(match: re.Match[str]) -> str:
        nonlocal bare
        if match["artefact"]:
            named.append(PictureId(artefact=match["artefact"].lower()))
            return " <picture> "
        said = next((match[name] for name in _SPLIT_NAMES if match[name]), None)
        bare = bare or said is None
        split = _SPLITS[said[0].lower()] if said else "explore"
        digits = re.findall(r"\d+", next(match[name] for name in _DIGITS if match[name]))
        named.extend(PictureId(split=split, number=int(one)) for one in digits)
        return " <picture> "

    left = text[:start] + _REFERENCE.sub(put, text[start:])
    left, shown = _SHOWN.subn(" <picture> ", left)
    return Pictures(tuple(dict.fromkeys(named)), bare, shown > 0, left)
