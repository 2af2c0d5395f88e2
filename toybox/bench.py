"""Measures the shipped models on fresh pictures of any seed: the table of the model card.

Knows the bars and how each is measured. Nothing here is trained on: fresh pictures are in no split.
"""

from __future__ import annotations

from collections.abc import Callable

from sae_core.errors import UserError
from toybox import bench_clip, bench_explainer, bench_grounder, bench_target
from toybox.bench_rows import Report, Row
from toybox.models import ROLES

__all__ = ["ROLES", "Report", "Row", "run"]


MEASURERS: dict[str, Callable[[int, int], list[Row]]] = {
    "target": bench_target.measure,
    "explainer": bench_explainer.measure,
    "clip": bench_clip.measure,
    "grounder": bench_grounder.measure,
}


def run(*, seed: int = 0, n: int = 200, roles: list[str] | None = None) -> Report:
    """Measure the models of some roles, or of all, on n fresh pictures of a seed."""
    if seed < 0:
        raise UserError(f"A seed is zero or more, not {seed}.")
    if not 10 <= n <= 10_000:
        raise UserError(f"The benchmark takes 10 to 10,000 pictures, not {n}.")
    unknown = [role for role in roles or () if role not in ROLES]
    if unknown:
        raise UserError(f"No toybox model {unknown[0]!r}: there are {', '.join(ROLES)}.")
    rows = [line for role in roles or ROLES for line in MEASURERS[role](seed, n)]
    return Report(seed=seed, n=n, rows=rows)
