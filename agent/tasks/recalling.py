"""The tasks that look at what is known already: search, explain an earlier finding, report.

Knows the store; asks no model and computes nothing.
"""

from __future__ import annotations

import asyncio

from agent.desk import Desk
from agent.done import Done, of_finding
from agent.findings import FeatureFinding, Finding
from agent.office import Office
from agent.plan import ExplainFinding, SearchFindings
from agent.planner import Named
from agent.summary import behaviour_text, finding_text
from tools.failures import WontWork


async def search_findings(desk: Desk, task: SearchFindings) -> Done:
    """By words, by status, or by both."""
    sought = sought_in(task)
    result = await desk.use(
        "search_findings",
        sought,
        words=task.words,
        status=task.status,
        count=task.count,
    )
    if not result.found:
        return Done(text=f"There are no {sought}.")
    lines = [f"{sought[0].upper()}{sought[1:]}:"]
    lines += [f"- {one.summary} (finding {one.finding})" for one in result.found]
    return Done(
        text="\n".join(lines),
        named=tuple(Named(one.feature, one.finding) for one in result.found),
    )


def sought_in(task: SearchFindings) -> str:
    """What is searched for: `supported findings about 'wheel'`."""
    about = f" about {task.words!r}" if task.words else ""
    match task.status:
        case None:
            return f"findings{about}"
        case "supported" | "refuted":
            return f"{task.status} findings{about}"
        case _:
            return f"findings{about} that ended as {task.status!r}"


async def explain_finding(office: Office, task: ExplainFinding) -> Done:
    """What it claims, how it was tested, what speaks against it."""
    found = await asyncio.to_thread(_meant, office, task)
    if isinstance(found, FeatureFinding):
        return Done(text=finding_text(found, at_length=True), named=(of_finding(found),))
    return Done(text=behaviour_text(found), named=(Named(finding=found.id),))


def _meant(office: Office, task: ExplainFinding) -> Finding:
    if task.finding is not None:
        return office.store.finding(task.finding)
    if task.feature is not None:
        found = office.store.latest(task.feature, office.desk.provenance.coder)
        if found is None:
            raise WontWork(
                f"Nothing is known about feature {task.feature} yet. "
                f"Ask: what does feature {task.feature} respond to?"
            )
        return found
    found = office.store.newest()
    if found is None:
        raise WontWork("There are no findings yet. Ask: what does feature 12 respond to?")
    return found


async def report(office: Office) -> Done:
    """Runs, findings by status, what was spent."""
    return Done(text=await asyncio.to_thread(office.store.report))
