"""How runs look: in a table, as a transcript of nested units and steps.

Knows records and rich; reads nothing but what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from agent.events import Event
from agent.findings import Cost, Finding
from agent.store.records import RunRecord, StepCost

MARKS = {"failure": "red", "finding": "green", "answer": "green", "verdict": "cyan"}
"""What stands out in a transcript."""


def show_runs(found: Sequence[RunRecord]) -> None:
    """One line a run."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "status", "began", "findings", "cost", "question"):
        table.add_column(heading, overflow="fold")
    for one in found:
        began = f"{one.began.astimezone():%Y-%m-%d %H:%M}"
        row = (one.id, one.standing, began, str(one.findings), cost_text(one.cost), one.question)
        table.add_row(*map(escape, row))
    Console().print(table if found else "There were no runs yet.")


def show_run(
    run: RunRecord,
    events: Sequence[Event],
    steps: Sequence[StepCost],
    findings: Sequence[Finding],
) -> None:
    """What a run did, from its question to its answer."""
    console = Console()
    head = f"[bold]{escape(run.question)}[/]  {run.id}  {run.standing}  {cost_text(run.cost)}"
    console.print(_tree(head, events, {(one.unit, one.step): one.cost for one in steps}))
    if left := run.provenance.fork:
        console.print(f"left the run {left.partition('/')[0]} at {left}", soft_wrap=True)
    for one in findings:
        console.print(f"finding {one.id}  {escape(one.summary)}")
    if run.answer:
        console.print(f"\n{escape(run.answer)}")


def cost_text(cost: Cost) -> str:
    """What something took, in short."""
    parts = [
        f"{cost.calls} calls" if cost.calls else "",
        f"{cost.cached} cached" if cost.cached else "",
        f"{cost.tokens} tokens" if cost.tokens else "",
        f"{cost.seconds:.1f} s" if cost.seconds else "",
        f"{cost.money:.4f} paid" if cost.money else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing spent"


def _tree(head: str, events: Sequence[Event], costs: Mapping[tuple[str, int], Cost]) -> Tree:
    """Steps below their units, and units such as 0/118 below 0."""
    root = Tree(head)
    units: dict[str, Tree] = {"run": root}
    steps: dict[tuple[str, int], Tree] = {}
    for event in events:
        key = event.unit, event.step
        if key not in steps:
            cost = costs.get(key, Cost())
            title = f"[bold]{event.step} {escape(event.who)}[/]  [dim]{cost_text(cost)}[/]"
            steps[key] = _unit(units, event.unit).add(title)
        colour = MARKS.get(event.kind, "default")
        spent = f"  [dim]{cost_text(event.cost)}[/]" if event.tool else ""
        what = f"{event.kind} {event.tool}" if event.tool else event.kind
        steps[key].add(f"[{colour}]{what}[/]  {escape(event.text)}{spent}")
    return root


def _unit(units: dict[str, Tree], name: str) -> Tree:
    if name not in units:
        above, _, _ = name.rpartition("/")
        parent = _unit(units, above) if above else units["run"]
        units[name] = parent.add(f"[bold cyan]{escape(name)}[/]")
    return units[name]
