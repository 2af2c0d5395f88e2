"""The tool tell_apart: which words fit one set of pictures better than another.

CLIP says how well words fit, a rank test whether a difference could be chance, corrected for the
number of words. Knows pictures and words; nothing of why they are two sets.

Shapes: W words, N pictures of one set, M of the other.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sae_core.scoring.detection import auroc
from sae_core.scoring.significance import benjamini_hochberg
from tools.evidence import Split
from tools.lab import Lab
from tools.tool import Arguments, Result, tool
from tools.wording import Label

Pictures = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=512)]


COUNTED = 400
"""Up to so many pairs of pictures, all orders are counted: with 3 against 3 pictures the normal
approximation says 0.05 where the surest order of all comes by chance once in ten times."""


class TellApartArguments(Arguments):
    """Two sets of pictures, and the words to try."""

    one: Pictures
    """The numbers of the pictures of one set."""
    other: Pictures
    """Those of the other."""
    words: tuple[Label, ...] = Field(min_length=1, max_length=512)
    """What may tell them apart."""
    split: Split = "explore"
    """Where the numbers count."""


class Word(BaseModel):
    """How a word fits both sets."""

    model_config = ConfigDict(frozen=True)

    word: str
    more: float
    """How often a picture of the one set fits better than one of the other; 0.5: no difference."""
    gap: float
    """How much better it fits the pictures of the one set, on average, as a cosine."""
    p: float
    """How often chance parts them as much, either way."""
    false_discovery_rate: float
    """The smallest one at which this is a discovery, among all words that were tried."""


class TellApartResult(Result):
    """All words, the surest first."""

    words: tuple[Word, ...]


@tool("Which words fit one set of pictures better than another, by CLIP.", "asks models")
def tell_apart(lab: Lab, args: TellApartArguments) -> TellApartResult:
    """Rank the pictures of both sets by each word."""
    words = tuple(dict.fromkeys(args.words))
    shown = [lab.picture(args.split, number) for number in (*args.one, *args.other)]
    fit_WN = (lab.clip.of_texts(words) @ lab.clip.of_pictures(shown).T).double().numpy()
    first_N = np.arange(len(shown)) < len(args.one)
    more_W = [auroc(fit_N, first_N) for fit_N in fit_WN]
    p_W = np.array([rank_p(more, len(args.one), len(args.other)) for more in more_W])
    rate_W = benjamini_hochberg(p_W).tolist()
    gap_W = (fit_WN[:, first_N].mean(1) - fit_WN[:, ~first_N].mean(1)).tolist()
    found = [
        Word(word=word, more=more, gap=gap, p=p, false_discovery_rate=rate)
        for word, more, gap, p, rate in zip(words, more_W, gap_W, p_W.tolist(), rate_W, strict=True)
    ]
    return TellApartResult(words=tuple(sorted(found, key=lambda one: one.p)))


def rank_p(more: float, one: int, other: int) -> float:
    """Mann's and Whitney's test, two-sided: by counting where the normal approximation is off."""
    pairs = one * other
    if pairs <= COUNTED:
        wins = np.arange(pairs + 1)
        # Ties win half a pair.
        off = np.abs(wins - pairs / 2) >= abs(more - 0.5) * pairs - 0.25
        return float(_orders(one, other)[off].sum() / math.comb(one + other, one))
    deviation = math.sqrt((one + other + 1) / (12 * one * other))
    return math.erfc(abs(more - 0.5) / deviation / math.sqrt(2))


@lru_cache
def _orders(one: int, other: int) -> np.ndarray:
    """In how many orders of all pictures those of the one set win so many pairs [pairs + 1]."""
    ways = np.zeros((one + 1, one * other + 1))
    ways[0, 0] = 1
    # From the picture that beats fewest of the other set on: it beats so many, or one more, ...
    for beaten in range(other + 1):
        for taken in range(1, one + 1):
            ways[taken, beaten:] += ways[taken - 1, : one * other + 1 - beaten]
    return ways[one]
