"""Which pictures of some evidence a label is scored on.

Knows groups and numbers; nothing of labels. Nothing is drawn: each group gives its first pictures
in turn, so that strong and weak ones, and all kinds of silent ones, come alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from tools.evidence import FIRING, SILENT, Evidence, Group, Sighting
from tools.failures import WontWork


class Contrast(NamedTuple):
    """Pictures on which a feature fires, and ones on which it is silent."""

    firing: tuple[Sighting, ...]
    silent: tuple[Sighting, ...]


def firing(evidence: Evidence, groups: Sequence[Group], count: int) -> tuple[Sighting, ...]:
    """So many pictures on which the feature fires, or as many as there are."""
    wanted = [group for group in groups if group in FIRING]
    found = _in_turn((one for one in evidence.sightings if one.group in wanted), count)
    if not found:
        raise WontWork(
            f"The evidence of feature {evidence.feature} has no picture on which it fires in "
            f"{', '.join(groups) or 'no group'}. Gather more with top_images"
        )
    return found


def contrast(evidence: Evidence, count: int) -> Contrast:
    """Half firing, from all quantiles, half silent, of all kinds; fewer where there are fewer."""
    across = evidence.of("quantile") or evidence.of(*FIRING)
    return Contrast(_in_turn(across, count // 2), _in_turn(evidence.of(*SILENT), count // 2))


def _in_turn(sightings: Iterable[Sighting], count: int) -> tuple[Sighting, ...]:
    """The first of each group and quantile, then the second, up to so many; no picture twice."""
    parts: dict[tuple[Group, int | None], list[Sighting]] = {}
    for one in sightings:
        parts.setdefault((one.group, one.quantile), []).append(one)
    turns = chain.from_iterable(zip_longest(*parts.values()))
    once = {one.picture: one for one in turns if one is not None}
    return tuple(once.values())[:count]
