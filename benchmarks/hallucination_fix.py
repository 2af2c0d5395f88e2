"""The toybox target sees umbrellas on beaches that have none: finds out why, and mends it.

    python -m benchmarks.hallucination_fix [--thing umbrella] [--place beach] [--seed 0] [--json]

The agent's own behaviour loop, from reproducing to the sealed test, without its planner: what is
asked for is what `lmmscope ask` would make of "why does the model say there is an umbrella on this
beach? find a fix". Exit code 1 where a bar is missed. The seed draws controls and intervals.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from agent.behaviour import blame, conclude, reproduce, seal, sweep
from agent.behaviour.documents import Blamed, Case, Sealed, Swept
from agent.desk import Desk
from agent.events import Event
from agent.findings import BehaviourFinding
from agent.plan import Fix
from agent.provenance import provenance
from benchmarks.one_line import in_one_line
from lmmscope import wiring
from lmmscope.laboratory import lab
from lmmscope.settings import Settings, load_settings
from tools.backends.budget import Budget
from tools.backends.ledger import MemoryLedger

REMOVED, HARM = 0.5, 0.02


class Found(NamedTuple):
    """The finding, and the steps that led to it."""

    finding: BehaviourFinding
    case: Case
    blamed: Blamed | None
    swept: Swept | None
    sealed: Sealed | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Half of the hallucinations removed, 2 % of right answers lost, every control beaten."""
        sealed = self.sealed
        return (
            sealed is not None
            and sealed.removed.value >= REMOVED
            and sealed.harm.value <= HARM
            and not sealed.unbeaten
        )


class Told:
    """Prints what happens."""

    def __init__(self) -> None:
        self._console, self._began = Console(stderr=True), time.monotonic()

    def hear(self, event: Event) -> None:
        """One line."""
        self._console.print(f"{time.monotonic() - self._began:6.0f} s  {event.text}", markup=False)


async def loop(settings: Settings, task: Fix, seed: int) -> Found:
    """All steps, one after the other."""
    began = time.monotonic()
    made = lab(settings, MemoryLedger(), Budget())
    made.seed = seed
    desk = Desk(
        made, f"benchmark-{seed}", provenance=provenance(made, settings.name), listeners=[Told()]
    )
    try:
        case, blamed, swept, sealed = await reproduce(desk, task), None, None, None
        if case.reproduced:
            blamed = await blame(desk, case)
            swept = await sweep(desk, case, blamed)
            sealed = await seal(desk, task, case, swept) if swept.chosen else None
        finding = conclude(desk, task, case, blamed, swept, sealed)
    finally:
        await made.close()
    return Found(finding, case, blamed, swept, sealed, time.monotonic() - began)


def show(found: Found) -> None:
    """The tables."""
    console, sealed = Console(), found.sealed
    console.print(found.finding.summary, markup=False)
    if found.blamed is not None:
        table = Table("feature", "label", "by image", "by text", "AUROC", title="blamed")
        for one in found.blamed.culprits:
            table.add_row(
                str(one.feature), one.label or "", f"{one.by_image:+.2f}", f"{one.by_text:+.2f}",
                f"{one.separability:.2f}",
            )  # fmt: skip
        console.print(table)
    if sealed is not None:
        table = Table("sealed", "n", "better", "worse", "p", "right before", "right after")
        for one in (*sealed.counts, *sealed.side_effects):
            table.add_row(
                one.name, str(one.n), str(one.better), str(one.worse), f"{one.p:.2g}",
                str(one.right_before), str(one.right_after),
            )  # fmt: skip
        console.print(table)
        for name, one, bar in (
            ("hallucinations removed", sealed.removed, f">= {REMOVED}"),
            ("right answers lost", sealed.harm, f"<= {HARM}"),
        ):
            between = f"{one.low:.3f} to {one.high:.3f}"
            console.print(f"{name}: {one.value:.3f} ({between}, n {one.n}; bar {bar})")
        console.print(f"controls not beaten: {', '.join(sealed.unbeaten) or 'none'}")
    console.print(f"{found.seconds:.0f} s; {'passed' if found.passed else 'MISSED'}")


@in_one_line()
def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--thing", default="umbrella")
    parser.add_argument("--place", default="beach", help="`everywhere` for all places")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    settings = load_settings("toybox")
    wiring.use_threads(settings)
    place = None if given.place == "everywhere" else given.place
    task = Fix(
        behaviour=f"says there is a {given.thing} where there is none",
        thing=given.thing,
        place=place,
    )
    with tempfile.TemporaryDirectory() as runs:
        found = asyncio.run(
            loop(settings.model_copy(update={"runs": Path(runs)}), task, given.seed)
        )
    if given.json:
        sealed = found.sealed and found.sealed.model_dump(mode="json")
        print(
            json.dumps(
                {
                    "finding": found.finding.model_dump(mode="json"),
                    "sealed": sealed,
                    "seconds": found.seconds,
                    "passed": found.passed,
                }
            )
        )
    else:
        show(found)
    sys.exit(0 if found.passed else 1)


if __name__ == "__main__":
    main()
