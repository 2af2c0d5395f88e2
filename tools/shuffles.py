"""Other features' labels, for the null that a good label has to beat.

Knows labels as words only. A label that means something alike stays in: it makes the null harder.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def shuffled(label: str, pool: Iterable[str], count: int, seed: int) -> tuple[str, ...]:
    """So many different labels of the pool, drawn by lot, or all there are; never the label."""
    by_name = {_name(other): other.strip() for other in sorted(pool)}
    by_name.pop(_name(label), None)
    by_name.pop("", None)
    others = sorted(by_name.values())
    if len(others) <= count:
        return tuple(others)
    drawn = np.random.default_rng(seed).choice(len(others), count, replace=False)
    return tuple(others[at] for at in drawn.tolist())


def _name(label: str) -> str:
    """What is left of a label that is only written differently."""
    return " ".join(label.casefold().split()).rstrip(".")
