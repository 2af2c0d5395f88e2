"""The tasks Why and Fix: what makes the model answer so, and what mends it.

Knows how results are told; they are found by `agent.behaviour`, a fix by the behaviour graph.
"""

from __future__ import annotations

from typing import Any

from langchain_core.runnables.config import var_child_runnable_config

from agent.behaviour import WhyFound
from agent.behaviour import why as explained
from agent.desk import Desk
from agent.done import Done, cited
from agent.findings import BehaviourFinding
from agent.office import Office
from agent.plan import Fix, Why
from agent.planner import Named
from agent.provenance import task_key
from agent.summary import behaviour_text
from agent.threads import goes_on

STEPS = 40
"""Of a fix's graph: a limit for bugs."""


async def why(desk: Desk, task: Why) -> Done:
    """Attribution, told in words."""
    found = await explained(desk, task)
    heats = tuple(one.heat for one in found.reasons if one.heat)
    return Done(
        text=_told(found),
        named=tuple(Named(one.feature) for one in found.reasons),
        artefacts=((found.heat,) if found.heat else ()) + heats,
    )


async def fix(office: Office, desk: Desk, task: Fix) -> Done:
    """Run the behaviour graph from where it is, and tell its finding."""
    # Not a part of the graph that asks for it: its checkpoints are its own.
    var_child_runnable_config.set(None)
    unit = f"{desk.unit}/fix"
    config: Any = {
        "configurable": {"thread_id": f"{desk.run}:{unit}"},
        "recursion_limit": STEPS,
    }
    asked = task.model_dump(mode="json")
    key = task_key(desk.provenance, asked, desk.rules)
    begun = await goes_on(office, office.behaviours, config, key, unit)
    given = None if begun else {"unit": unit, "task": asked, "key": key}
    ended = await office.behaviours.ainvoke(
        given, config, context=office.desk, durability="sync", control=office.control
    )
    finding = office.store.finding(ended["finding"])
    assert isinstance(finding, BehaviourFinding)
    lines = [behaviour_text(finding)]
    if finding.recipe:
        lines.append(
            f'- apply it: lmmscope steer --recipe {finding.recipe[:12]} "{finding.question}"'
        )
    return Done(
        text="\n".join(lines),
        named=(Named(finding=finding.id), *(Named(one.feature) for one in finding.culprits)),
        artefacts=(finding.recipe,) if finding.recipe else (),
    )


def _told(found: WhyFound) -> str:
    lines = [
        f"The model answers {found.said!r} to {found.question!r}: the logit of {found.answer!r} "
        f"less that of {found.instead!r} is {found.difference:+.2f}. Features at the picture say "
        f"{found.by_image:+.2f} of it, those at the text {found.by_text:+.2f}:",
        "",
    ]
    for one in found.reasons:
        label = one.label or "nobody knows what it stands for"
        heat = f" {cited(one.heat)}" if one.heat else ""
        lines.append(
            f"- feature {one.feature} ({label}, unverified): {one.by_image:+.2f} by the picture, "
            f"{one.by_text:+.2f} by the text{heat}"
        )
    words = ", ".join(f"{word.strip()!r} {score:+.2f}" for word, score in found.words[:5])
    if words:
        lines.append(f"- words of the question: {words}")
    if found.checked is not None:
        lines.append(
            "- checked by switching the strongest features off: rank correlation "
            f"{found.checked:.2f}"
        )
    return "\n".join(lines)
