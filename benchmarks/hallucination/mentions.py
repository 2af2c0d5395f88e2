"""Which of some objects a text names, under any of their names, as often as it names them.

Knows words: plurals, names of several words, and phrases that name something else than the words in
them. The rules are those of CHAIR; plurals are taken off by rule here, by a tagger there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sae_core.errors import UserError

SHIPPED = Path(__file__).with_name("objects.toml")
IRREGULAR = {
    "children": "child", "people": "person", "mice": "mouse", "geese": "goose", "oxen": "ox",
    "knives": "knife", "calves": "calf", "wolves": "wolf", "loaves": "loaf", "leaves": "leaf",
}  # fmt: skip


class Lexicon:
    """Objects and their names."""

    def __init__(
        self, names: Mapping[str, Iterable[str]], phrases: Mapping[str, str] | None = None
    ) -> None:
        """`phrases` stand for an object, or with "" for none, whatever the words in them name."""
        self._meant = {_normal(name): thing for thing, all_ in names.items() for name in all_}
        self._meant |= {_normal(thing): thing for thing in names}
        self._meant |= {_normal(phrase): thing for phrase, thing in (phrases or {}).items()}
        self._longest = max(map(len, self._meant))

    def mentions(self, text: str) -> tuple[str, ...]:
        """The objects named, in order; the longest name counts where several begin."""
        words, found, at = _normal(text), list[str](), 0
        if "toilet" in words:  # whose seat is no chair, wherever it is named
            words = tuple(word for word in words if word != "seat")
        while at < len(words):
            length = self._length(words, at)
            found.append(self._meant.get(words[at : at + length], ""))
            at += length
        return tuple(one for one in found if one)

    def object(self, name: str) -> str | None:
        """The object of a name, if it is one."""
        return self._meant.get(_normal(name))

    def _length(self, words: tuple[str, ...], at: int) -> int:
        for length in range(self._longest, 1, -1):
            if words[at : at + length] in self._meant:
                return length
        return 1


class _Words(NamedTuple):
    """Names of objects, and phrases that mean something else."""

    names: dict[str, list[str]]
    phrases: dict[str, str]


def shipped() -> Lexicon:
    """COCO's 80 objects, their names in our own words."""
    own = _own()
    return Lexicon(own.names, own.phrases)


def listed(path: Path) -> Lexicon:
    """A published list: a line an object, its name first, then others, with commas between."""
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    names = [[name.strip() for name in line if name.strip()] for line in lines]
    if not (names := [line for line in names if line]):
        raise UserError(f"{path} names no objects: it needs a line each, names with commas between")
    known = Lexicon({line[0]: line for line in names})
    # The list's own names for what our phrases mean.
    meant = {phrase: thing and known.object(thing) for phrase, thing in _own().phrases.items()}
    phrases = {phrase: thing for phrase, thing in meant.items() if thing is not None}
    return Lexicon({line[0]: line for line in names}, phrases)


def _own() -> _Words:
    """Phrases are those written out, and qualifiers before what they qualify."""
    document = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    names, phrases = document["objects"], dict(document["phrases"])
    meant = {name: thing for thing, others in names.items() for name in (thing, *others)}
    for qualifier, things in document["qualified"].items():
        phrases |= {f"{qualifier} {thing}": meant[thing] for thing in things}
    return _Words(names, phrases)


def _normal(text: str) -> tuple[str, ...]:
    """Words in lower case, each as one of its kind."""
    return tuple(map(singular, re.findall(r"[a-z]+", text.lower())))


def singular(word: str) -> str:
    """A noun without its plural ending; names and texts go the same way, so that they meet."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("men"):
        return f"{word[:-3]}man"
    if word.endswith(("buses", "ches", "shes", "sses", "xes", "oes")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
