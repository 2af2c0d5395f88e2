"""The pictures by which a label is judged, in an order that tells nothing.

On some of them the feature fires, on some it is silent. Knows a finding's gallery; nothing of
verdicts.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import chain, islice, zip_longest

from agent.findings import FeatureFinding
from review.gallery import Gallery, Shot, Tab, gallery
from review.site import Site

STRONGEST, DRAWN, SILENT = 4, 4, 4
"""How many pictures of which kind: those that fire most, any that fire, silent ones."""


def chosen(pictures: Gallery, seed: str) -> tuple[Shot, ...]:
    """What of a gallery is shown; the same each time for the same seed."""
    tabs = {tab.name: tab for tab in pictures.tabs}
    found: dict[int, Shot] = {}
    for name, count in (("mean", STRONGEST), ("quarters", DRAWN), ("silent", SILENT)):
        fresh = (shot for shot in _in_turns(tabs.get(name)) if shot.number not in found)
        found |= {shot.number: shot for shot in islice(fresh, count)}
    shots = [*found.values()]
    random.Random(seed).shuffle(shots)
    return tuple(shots)


def shown(here: Site, finding: FeatureFinding) -> tuple[Gallery, tuple[Shot, ...]] | None:
    """A finding's gallery, and what of it is shown; None where its evidence is gone."""
    pictures = gallery(here.store, finding, there=here.hands is not None)
    return (pictures, chosen(pictures, finding.id)) if pictures else None


def _in_turns(tab: Tab | None) -> Iterable[Shot]:
    """One of each row, then the next of each."""
    rows = [row.shots for row in tab.rows] if tab else []
    return (shot for shot in chain.from_iterable(zip_longest(*rows)) if shot is not None)
