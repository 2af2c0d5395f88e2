"""What people said of labels in the review application, by concept.

Knows verdicts; nothing of judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agent.findings import FeatureFinding
from agent.store import Reader
from benchmarks.paper.labelling import OTHER, concept_of
from review.queries.verdicts import ratings

YES = 4
"""From this score of 5 on, a verdict counts as yes."""


class Verdicts(NamedTuple):
    """What people said of one label."""

    concept: str
    share: float
    """Of yes."""


def verdicts(runs: Path) -> Sequence[Verdicts]:
    """Everybody's latest verdict on each feature's label; none where nobody judged anything."""
    if not (runs / "findings.db").exists():
        return []
    said: dict[str, list[bool]] = {}
    with Reader(runs) as reader:
        for one in ratings(reader):
            said.setdefault(one.finding, []).append(one.score >= YES)
        found = {name: reader.finding(name) for name in said}
    return [
        Verdicts(concept_of(one.category or OTHER), float(np.mean(said[name])))
        for name, one in found.items()
        if isinstance(one, FeatureFinding)
    ]
