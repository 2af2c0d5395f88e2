"""What else is in a picture where a claim fits and the feature fires, or is silent all the same.

The words come from descriptions of such pictures. Whether they tell more than chance would is seen
from how often they are said, and from how well they fit pictures that nobody described. Knows words
and sets of pictures; nothing of features.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from agent.desk import Desk
from agent.feature.proposals import nested
from sae_core.scoring.significance import benjamini_hochberg
from tools.contrast import Sides, deal_p

DESCRIBED = 8
"""So many pictures of each set are described."""
LONGEST = 3
"""Words of a phrase."""
DISCOVERY = 0.2
"""Of the phrases that are tried further, so many may be there by chance: their trial comes."""
LEAST_MORE = 0.2
"""A phrase has to fit the one set better by so much: 0.5 would be always."""
BESIDE_BEST = 0.2
"""What tells so much less than the best phrase is not tried."""
SAME = 0.05
"""Phrases of which one tells more by less than this tell the same."""
TRIED = 3
"""Phrases that are tried further."""
QUALITIES = ("color", "texture", "material", "emotion")
"""Classes whose words need the class's own name beside them to be a label, as in red color."""
_EMPTY = frozenset(
    ("a", "an", "the", "this", "that", "these", "those", "with", "without", "and", "or", "of", "in",
     "on", "at", "to", "from", "by", "for", "near", "under", "over", "beside", "behind", "between",
     "is", "are", "was", "were", "has", "have", "it", "its", "there", "says", "shows", "some",
     "one", "two", "three", "four", "several")
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+|[^\w\s]")


class Phrase(NamedTuple):
    """Words that fit one of the sets better."""

    text: str
    more: float
    """How much better they fit the firing pictures, from -0.5, never, to 0.5, always."""
    p: float
    """How often chance parts the sets as much."""
    said_of: frozenset[int] = frozenset()
    """In which of the descriptions they are, by place."""
    quality: bool = False
    """They mostly stand before the word for a thing, as red does in a red car."""

    @property
    def firing(self) -> bool:
        """It is the firing ones that they fit better."""
        return self.more > 0


async def differences(desk: Desk, firing: Sequence[int], silent: Sequence[int]) -> list[Phrase]:
    """What tells the two sets of pictures apart, what tells most first."""
    shown = (*firing[:DESCRIBED], *silent[:DESCRIBED])
    said = await desk.use("describe", f"described {len(shown)} pictures", pictures=shown)
    first = set(firing)
    told = [one.text for one in said.descriptions if one.picture in first]
    other = [one.text for one in said.descriptions if one.picture not in first]
    counted = phrases(told, other)
    if not counted:
        return []
    found = await desk.use(
        "tell_apart",
        f"tried {len(counted)} phrases on {len(firing)} firing and {len(silent)} silent pictures",
        one=tuple(firing),
        other=tuple(silent),
        words=tuple(one.text for one in counted),
    )
    looks = {one.word: Phrase(one.word, one.more - 0.5, one.p) for one in found.words}
    chosen = telling([surer(one, looks[one.text]) for one in counted])
    return [one._replace(text=await labelled(desk, one, firing, silent)) for one in chosen]


def phrases(firing: Sequence[str], silent: Sequence[str]) -> list[Phrase]:
    """What is said of two pictures at least, by how often it is said of which: Fisher's test."""
    parts = [
        (place, part) for place, text in enumerate((*firing, *silent)) for part in _parts(text)
    ]
    said_of: dict[str, set[int]] = defaultdict(set)
    before: Counter[str] = Counter()
    for place, part in parts:
        said_of[part.text].add(place)
        before[part.text] += 1 if part.before else -1
    sides = Sides(len(firing), len(silent))
    return [
        _phrase(text, said_of[text], sides)._replace(quality=before[text] > 0)
        for text in sorted(said_of)
        if len(said_of[text]) > 1
    ]


def _phrase(text: str, said_of: set[int], sides: Sides) -> Phrase:
    one = sum(place < sides.one for place in said_of)
    other = len(said_of) - one
    more = (one / max(sides.one, 1) - other / max(sides.other, 1)) / 2
    return Phrase(text, more, deal_p(one, other, sides), frozenset(said_of))


def surer(said: Phrase, looks: Phrase) -> Phrase:
    """What is said of pictures or how they look, whichever says more; it was tried twice."""
    best = min(said, looks, key=lambda one: one.p)
    return said._replace(more=best.more, p=min(1.0, 2 * best.p))


def telling(words: Sequence[Phrase]) -> list[Phrase]:
    """Those that tell most, each of its kind: of red and red car the one that tells more."""
    rate_N = benjamini_hochberg(np.array([one.p for one in words])).tolist()
    sure = [one for one, rate in zip(words, rate_N, strict=True) if rate <= DISCOVERY]
    whole = [one for one in sure if not any(part_of(one, other) for other in sure)]
    order = sorted(whole, key=lambda one: (-abs(one.more), one.p))
    kept: list[Phrase] = []
    for one in order:
        enough = abs(one.more) >= max(LEAST_MORE, abs(order[0].more) - BESIDE_BEST)
        if enough and not any(nested(one.text, other.text) for other in kept):
            kept.append(one)
    return kept[:TRIED]


def part_of(one: Phrase, other: Phrase) -> bool:
    """It is never said without the other, of which it is a part, and tells no more: snow field."""
    within = f" {one.text} " in f" {other.text} " and one.text != other.text
    same = one.said_of == other.said_of and abs(one.more) <= abs(other.more) + SAME
    return within and same


class _Part(NamedTuple):
    text: str
    before: bool
    """Another word follows it."""


def _parts(text: str) -> Iterator[_Part]:
    """All runs of words with nothing empty between them."""
    run: list[str] = []
    for word in (*_WORD.findall(text.casefold()), "."):
        if word not in _EMPTY and word[0].isalnum():
            run.append(word)
            continue
        for start in range(len(run)):
            for end in range(start + 1, min(start + LONGEST, len(run)) + 1):
                yield _Part(" ".join(run[start:end]), before=end < len(run))
        run = []


async def labelled(desk: Desk, one: Phrase, firing: Sequence[int], silent: Sequence[int]) -> str:
    """The words as a label: a quality with what kind of quality it is, as CLIP hears it."""
    if not one.quality or " " in one.text:
        return one.text
    tried = await desk.use(
        "tell_apart",
        f"what kind of quality is {one.text!r}?",
        one=tuple(firing),
        other=tuple(silent),
        words=tuple(f"{one.text} {quality}" for quality in QUALITIES),
    )
    return max(tried.words, key=lambda word: abs(word.gap)).word
