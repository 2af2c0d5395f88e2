"""Makes a finding of what the steps found. A fix that fails is a result like one that works.

Knows what a fix has to do to count as one; asks and computes nothing.
"""

from __future__ import annotations

from typing import Literal

from agent.behaviour.documents import Blamed, Case, Sealed, Swept
from agent.behaviour.seal import SAME, behaviour_key
from agent.behaviour.sweep import told
from agent.desk import Desk
from agent.findings import BehaviourFinding, Cost
from agent.plan import Fix

REMOVED, HARM, SURE = 0.5, 0.02, 0.05
"""A fix mends at least half of the wrong answers and loses at most one in fifty right ones."""
Status = Literal["fixed", "improved", "not fixed", "not reproduced"]


def conclude(
    desk: Desk,
    task: Fix,
    case: Case,
    blamed: Blamed | None = None,
    swept: Swept | None = None,
    sealed: Sealed | None = None,
    cost: Cost | None = None,
) -> BehaviourFinding:
    """The finding, from as many steps as there were."""
    status = status_of(case, sealed)
    finding = BehaviourFinding(
        key=behaviour_key(desk, task),
        run=desk.run,
        summary=_summary(task, case, swept, sealed, status),
        cost=cost or Cost(),
        provenance=desk.provenance,
        behaviour=task.behaviour,
        question=case.question,
        wrong=case.wrong,
        right=case.right,
        status=status,
        reproduced=case.rate,
        culprits=blamed.culprits if blamed else (),
        recipe=sealed.recipe if sealed else None,
        tried=swept.tried if swept else (),
        sealed=sealed.counts if sealed else (),
        side_effects=sealed.side_effects if sealed else (),
    )
    desk.say("finding", finding.summary, result={"id": finding.id, "status": status})
    return finding


def status_of(case: Case, sealed: Sealed | None) -> Status:
    """Fixed if all of the sealed test holds, improved if the recipe helps and harms little."""
    if not case.reproduced:
        return "not reproduced"
    if sealed is None or sealed.harm.value > HARM or _denies(sealed):
        return "not fixed"
    if sealed.removed.value >= REMOVED and not sealed.unbeaten:
        return "fixed"
    first = sealed.counts[0]
    return "improved" if first.better > first.worse and first.p < SURE else "not fixed"


def _denies(sealed: Sealed) -> bool:
    """Whether it surely harms other questions about the same thing, few as they are among all."""
    same = [one for one in sealed.side_effects if one.name == SAME]
    return any(one.worse > one.better and one.p < SURE for one in same)


def _summary(
    task: Fix, case: Case, swept: Swept | None, sealed: Sealed | None, status: Status
) -> str:
    if status == "not reproduced":
        return (
            f"not reproduced: {task.behaviour}: {case.rate.value:.0%} of {case.rate.n} questions "
            "went wrong alike"
        )
    if swept is None or sealed is None:
        return f"{status}: {case.question} {case.wrong}: nothing that was tried mends without harm"
    denies = "; denies the same thing where it is right" if _denies(sealed) else ""
    unbeaten = f"; not better than {', '.join(sealed.unbeaten)}" if sealed.unbeaten else ""
    return (
        f"{status}: {case.question} {case.wrong} instead of {case.right}: {told(swept.chosen)} "
        f"mends {sealed.removed.value:.0%} of {sealed.removed.n} wrong answers and loses "
        f"{sealed.harm.value:.1%} of {sealed.harm.n} right ones{denies}{unbeaten}"
    )
