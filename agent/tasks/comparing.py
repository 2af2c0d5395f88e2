"""The task Compare: two features side by side, by what they fire on and what is known of them.

Knows evidence and findings; claims nothing that these do not show.
"""

from __future__ import annotations

import asyncio

from agent.desk import Desk
from agent.done import Done, cited
from agent.findings import FeatureFinding
from agent.office import Office
from agent.plan import Compare
from agent.planner import Named
from tools import panel
from tools.evidence import FIRING, Evidence
from tools.failures import WontWork
from tools.top_images import TopImagesResult


async def compare(office: Office, desk: Desk, task: Compare) -> Done:
    """On each one's own pictures: how often does the other fire there too."""
    if task.one == task.other:
        raise WontWork(f"Feature {task.one} can't be compared with itself. Name another one")
    one, other = [await _gathered(desk, feature) for feature in (task.one, task.other)]
    there = await asyncio.to_thread(_shared, desk, one, task.other)
    here = await asyncio.to_thread(_shared, desk, other, task.one)
    known = [_known(office, feature) for feature in (task.one, task.other)]
    lines = [_about(result, finding) for result, finding in zip((one, other), known, strict=True)]
    lines += [
        f"- feature {task.other} fires on {there:.0%} of the pictures gathered for feature "
        f"{task.one} {cited(one.evidence)}; the other way round it is {here:.0%} "
        f"{cited(other.evidence)}.",
    ]
    desk.say("note", lines[-1], result={"there": there, "here": here})
    return Done(
        text="\n".join([f"Features {task.one} and {task.other}:", *lines]),
        named=tuple(
            Named(feature, finding.id if finding else None)
            for feature, finding in zip((task.one, task.other), known, strict=True)
        ),
        artefacts=(one.evidence, other.evidence),
    )


async def _gathered(desk: Desk, feature: int) -> TopImagesResult:
    return await desk.use("top_images", f"pictures of feature {feature}", feature=feature)


def _shared(desk: Desk, result: TopImagesResult, other: int) -> float:
    evidence = desk.lab.artefacts.document(result.evidence, Evidence)
    numbers = [one.picture for one in evidence.of(*FIRING)]
    if not numbers:
        return 0.0
    return float(panel.fires(desk.lab, "explore", numbers, other).mean())


def _known(office: Office, feature: int) -> FeatureFinding | None:
    return office.store.latest(feature, office.desk.provenance.coder)


def _about(result: TopImagesResult, finding: FeatureFinding | None) -> str:
    name = "nobody has looked into it yet"
    if finding is not None:
        name = f"{finding.label or finding.status} ({finding.status}, finding {finding.id})"
    near = ", ".join(f"{n.feature} ({n.share:.0%})" for n in result.neighbours[:3]) or "none"
    return (
        f"- feature {result.feature}: {name}; fires on {result.fires_on} of {result.size} pictures "
        f"with a mean of {result.mean:.2f}; fires along with: {near}"
    )
