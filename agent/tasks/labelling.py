"""The tasks Investigate and Label: a few features in detail, or many in a table.

Knows how findings are told; they are made by the feature graph.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from agent.batch import Labelled
from agent.batch import label as labelled
from agent.desk import Desk
from agent.done import Done, of_finding
from agent.findings import FeatureFinding
from agent.office import Office
from agent.plan import Investigate, Label
from agent.summary import finding_text, table
from agent.verification import adjusted, corrected
from tools.gathering import index_of


async def investigate(office: Office, desk: Desk, task: Investigate) -> Done:
    """Each feature, told at length."""
    found = await labelled(office, desk.unit, task.features)
    texts = [finding_text(one) for one in found.findings]
    return _done(found, "\n\n".join([*texts, *_failures(found)]))


async def label(office: Office, desk: Desk, task: Label) -> Done:
    """Each feature, told in a row; what may be so by chance among many loses its support."""
    features = task.features
    if task.active is not None:
        features = await asyncio.to_thread(_most_active, desk, task.active)
    found = await labelled(office, desk.unit, features)
    kept = corrected(found.findings, desk.rules.discovery)
    office.store.correct(desk.run, desk.unit, desk.rules.discovery, adjusted(found.findings))
    desk.say("verdict", _counted(kept), result={"statuses": _statuses(kept)})
    lines = [
        f"{len(kept)} features: {_counted(kept)}.",
        *([f"{found.skipped} of them were known before."] if found.skipped else []),
        *_lost(found.findings, kept),
        "",
        table(kept),
        *_failures(found),
    ]
    return _done(found, "\n".join(lines))


def _lost(before: Sequence[FeatureFinding], after: Sequence[FeatureFinding]) -> list[str]:
    """Which findings passed their own test, but are no discovery among so many."""
    pairs = zip(before, after, strict=True)
    lost = [str(one.feature) for one, kept in pairs if one.status != kept.status]
    if not lost:
        return []
    named = f"feature{'s' * (len(lost) > 1)} {', '.join(lost)}"
    return [f"Among so many tests, chance alone may explain {named}: counted as refuted."]


def _most_active(desk: Desk, count: int) -> tuple[int, ...]:
    rate_F = index_of(desk.lab, "explore").picture_rates()
    return tuple(np.argsort(-rate_F, kind="stable")[:count].tolist())


def _statuses(findings: tuple[FeatureFinding, ...]) -> dict[str, int]:
    statuses = [one.status for one in findings]
    return {status: statuses.count(status) for status in dict.fromkeys(statuses)}


def _counted(findings: tuple[FeatureFinding, ...]) -> str:
    return ", ".join(f"{count} {status}" for status, count in _statuses(findings).items())


def _failures(found: Labelled) -> list[str]:
    if not found.failed:
        return []
    lines = [f"- feature {one.feature}: {one.reason}" for one in found.failed]
    return ["", f"{len(lines)} failed and can be asked for again:", *lines]


def _done(found: Labelled, text: str) -> Done:
    return Done(
        text=text,
        named=tuple(map(of_finding, found.findings)),
        failures=tuple(f"feature {one.feature}: {one.reason}" for one in found.failed),
    )
