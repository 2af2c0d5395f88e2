"""Near misses by meaning: pictures that fit some words best, and leave the feature silent.

CLIP says how well words fit, so that near misses are not simply what the grounder, which is asked
about them later, takes for the thing. Knows pictures and words; nothing of where words come from.

Shapes: N pictures, E entries of an embedding, W words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from tools import panel
from tools.claims import parse
from tools.evidence import Evidence, Sighting, Split
from tools.lab import Lab
from tools.observing import AT_ONCE

PATIENCE = 16 * AT_ONCE
"""So many pictures are looked at in search of silent ones, and no more."""


def near_misses(
    lab: Lab, evidence: Evidence, labels: Sequence[str], count: int
) -> tuple[Sighting, ...]:
    """So many, or as many as are found; the evidence may have some of them already."""
    words = dict.fromkeys(chain.from_iterable(parse(label).concepts for label in labels))
    candidates = islice(_fitting(lab, evidence.split, tuple(words)), PATIENCE)
    found: list[int] = []
    while len(found) < count and (batch := list(islice(candidates, AT_ONCE))):
        fires_N = panel.fires(lab, evidence.split, batch, evidence.feature)
        found += [n for n, fires in zip(batch, fires_N.tolist(), strict=True) if not fires]
    return tuple(Sighting(picture=number, group="rival") for number in found[:count])


def _fitting(lab: Lab, split: Split, words: Sequence[str]) -> Iterator[int]:
    """Pictures: those that fit one of the words best, then the second best, ..."""
    fit_NW = panel.looks(lab, split) @ lab.clip.of_texts(words).T
    order_NW = fit_NW.argsort(dim=0, descending=True, stable=True)
    return iter(dict.fromkeys(chain.from_iterable(order_NW.tolist())))
