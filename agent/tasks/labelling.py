"""The tasks Investigate and Label: a few features in detail, or many in a table.

Knows how findings are told; they are made by the feature graph.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agent.batch import Failed, Labelled
from agent.batch import label as labelled
from agent.batch_table import Row, row_of, table
from agent.desk import Desk
from agent.done import Done, of_finding
from agent.findings import FeatureFinding
from agent.office import Office
from agent.plan import Investigate, Label
from agent.planner import Named
from agent.summary import finding_text
from agent.verification import among
from tools.gathering import index_of

SHOWN = 20
"""So many of a long list are named; the run's record has all."""


async def investigate(office: Office, desk: Desk, task: Investigate) -> Done:
    """Each feature, told at length."""
    done = await labelled(office, desk.unit, task.features, _told)
    texts = [text for _, text in done.found]
    named = [name for name, _ in done.found]
    return ended(done, named, "\n\n".join(texts))


async def label(office: Office, desk: Desk, task: Label) -> Done:
    """Each feature, told in a row; what may be so by chance among many loses its support."""
    features = task.features
    if task.active is not None:
        features = await asyncio.to_thread(_most_active, desk, task.active)
    done = await labelled(office, desk.unit, features, row_of)
    adjusted = among({one.finding: one.chance for one in done.found if one.chance is not None})
    office.store.correct(desk.run, desk.unit, desk.rules.discovery, adjusted)
    kept = corrected(done.found, adjusted, desk.rules.discovery)
    statuses = Counter(one.status for one in kept)
    counted = ", ".join(f"{count} {status}" for status, count in statuses.items())
    desk.say("verdict", counted, result={"statuses": dict(statuses)})
    lines = [
        f"{len(kept)} features: {counted}.",
        *([f"{done.skipped} of them were known before."] if done.skipped else []),
        *_lost(done.found, kept),
        "",
        table(kept),
    ]
    return ended(done, [Named(one.feature, one.finding) for one in kept], "\n".join(lines))


def corrected(rows: Sequence[Row], adjusted: Mapping[str, float], rate: float) -> tuple[Row, ...]:
    """The same rows; those that are no discovery at this rate are supported no longer."""
    return tuple(
        one._replace(status="refuted")
        if one.status == "supported" and adjusted.get(one.finding, 1.0) > rate
        else one
        for one in rows
    )


def ended(done: Labelled[Any], named: Sequence[Named], text: str) -> Done:
    """What is said, and what failed."""
    return Done(
        text="\n".join([text, *_failures(done.failed)]).strip(),
        named=tuple(named),
        failures=tuple(f"feature {one.feature}: {one.reason}" for one in done.failed),
    )


def _told(finding: FeatureFinding) -> tuple[Named, str]:
    return of_finding(finding), finding_text(finding)


def _lost(before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    """Which findings passed their own test, but are no discovery among so many."""
    pairs = zip(before, after, strict=True)
    lost = [str(one.feature) for one, kept in pairs if one.status != kept.status]
    if not lost:
        return []
    named = f"feature{'s' * (len(lost) > 1)} {', '.join(lost[:SHOWN])}{_more(lost)}"
    return [f"Among so many tests, chance alone may explain {named}: counted as refuted."]


def _most_active(desk: Desk, count: int) -> tuple[int, ...]:
    rate_F = index_of(desk.lab, "explore").picture_rates()
    return tuple(np.argsort(-rate_F, kind="stable")[:count].tolist())


def _failures(failed: Sequence[Failed]) -> list[str]:
    if not failed:
        return []
    lines = [f"- feature {one.feature}: {one.reason}" for one in failed[:SHOWN]]
    more = [f"-{_more(failed)}"] if len(failed) > SHOWN else []
    return ["", f"{len(failed)} failed and can be asked for again:", *lines, *more]


def _more(things: Sequence[object]) -> str:
    return f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
