"""What a batch would take on other machines, by replaying measured features in simulated time.

    python -m benchmarks.simulate [--workers 64] [--features 1000000] [--replicas 8] [--json]
    python -m benchmarks.simulate --runs DIR [--record FILE]
    python -m benchmarks.simulate --plan

Times are those of the recorded batch unless they are given. `--runs` reads another batch, and sets
what it took beside what the simulation says of it; `--plan` works out the tables of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.one_line import in_one_line
from benchmarks.simulate.plan import markdown
from benchmarks.simulate.queues import Outcome, Setup, batch, helping
from benchmarks.simulate.recorded import PLACES, Recorded, measured, read
from benchmarks.simulate.replay import replayed

CHECKED = 200
"""So many features are also replayed by the batch's own code."""


@in_one_line()
def main() -> None:
    """Simulate, and print."""
    given = arguments()
    if given.plan:
        print(markdown(), end="")
        return
    recorded = measured() if given.runs is None else read(given.runs)
    if given.record is not None:
        given.record.write_text(recorded.model_dump_json() + "\n", encoding="utf-8")
    wanted = recorded.with_means(
        explainer=given.call_seconds,
        target=given.target_seconds,
        writer=None if given.event_ms is None else given.event_ms / 1000,
    )
    setup = Setup(given.workers, given.replicas, given.concurrency, given.targets)
    outcome = batch(wanted, given.features, setup, given.seed)
    sweep = helping(wanted, setup, seed=given.seed)
    again = replayed(wanted, CHECKED, setup, given.seed)
    apart = abs(batch(wanted, CHECKED, setup, given.seed).seconds - again)
    if given.json:
        print(json.dumps(_document(recorded, outcome, sweep, apart), indent=2))
        return
    _told(recorded, wanted, outcome, sweep, apart)


def arguments() -> argparse.Namespace:
    """What may be asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--replicas", type=int, default=8, help="of the explainer's server")
    parser.add_argument("--concurrency", type=int, default=8, help="calls that a replica answers")
    parser.add_argument("--targets", type=int, default=8, help="GPUs that hold the target")
    parser.add_argument("--call-seconds", type=float, help="of the explainer, on the mean")
    parser.add_argument("--target-seconds", type=float, help="of a feature, on the mean")
    parser.add_argument("--event-ms", type=float, help="to write an event")
    parser.add_argument("--runs", type=Path, help="a folder of runs to read instead")
    parser.add_argument("--record", type=Path, help="a file to keep what was read in")
    parser.add_argument("--plan", action="store_true", help="the tables of docs/scale.md")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def as_it_was(recorded: Recorded, features: int = 2000) -> float:
    """Features a minute of the recorded batch itself.

    Its places were never waited for here: what it waited is in the seconds that were recorded.
    """
    free = Setup(recorded.workers, replicas=1, concurrency=1000, targets=1000)
    return batch(recorded, features, free).per_hour / 60


def _document(
    recorded: Recorded, outcome: Outcome, sweep: Sequence[Outcome], apart: float
) -> dict[str, object]:
    return {
        "recorded": recorded.how,
        "real_per_minute": recorded.per_minute,
        "simulated_per_minute": as_it_was(recorded),
        "apart_from_the_batch_itself_seconds": apart,
        **outcome._asdict(),
        "setup": outcome.setup._asdict(),
        "per_hour": outcome.per_hour,
        "bottleneck": outcome.bottleneck,
        "sweep": {one.setup.workers: one.per_hour for one in sweep},
    }


def _told(
    recorded: Recorded, wanted: Recorded, outcome: Outcome, sweep: Sequence[Outcome], apart: float
) -> None:
    console = Console()
    console.print(f"recorded: {recorded.how}", soft_wrap=True)
    console.print(
        f"it took {recorded.per_minute:.2f} features a minute, simulated "
        f"{as_it_was(recorded):.2f}; {CHECKED} by the batch's own code: {apart:.3g} s apart"
    )
    setup = outcome.setup
    table = Table(
        title=f"{outcome.features:,} features, {setup.workers} workers: "
        f"{outcome.per_hour:,.0f} an hour, {outcome.seconds / 3600:,.1f} h"
    )
    for heading in ("place", "how many", "seconds a feature", "busy"):
        table.add_column(heading, justify="left" if heading == "place" else "right")
    for place in PLACES:
        table.add_row(
            place, str(setup.servers(place)), f"{wanted.mean(place):.3f}",
            f"{outcome.busy[place]:.1%}",
        )  # fmt: skip
    console.print(table)
    console.print(f"everybody waits for: {outcome.bottleneck}")
    for one in sweep:
        waits = f"waits for {one.bottleneck}"
        console.print(f"{one.setup.workers:6} workers {one.per_hour:10,.0f} features/h   {waits}")


if __name__ == "__main__":
    main()
