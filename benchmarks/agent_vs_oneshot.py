"""The agent against the best of many single questions, on planted features, at equal model calls.

    python -m benchmarks.agent_vs_oneshot [--planted-seed 0] [--features 100] [--json]

The agent investigates each feature of a planted set. Then a single question is asked about the
same feature as often as the agent asked models: each time about other pictures on which it fires,
and of all answers the one that foretells firing best on the agent's own explore pictures counts.
A label is right if it says what the feature was planted with, word for word, whatever its articles
and the order of its alternatives.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from agent.desk import Desk, Rules
from agent.feature.inquiry import Looked, extended
from agent.feature.ledger import graded
from agent.feature.proposals import label_of
from agent.findings import FeatureFinding
from agent.plan import Label, Plan
from agent.running import Hands, do
from benchmarks.one_line import in_one_line
from lmmscope.agent_hands import hands
from lmmscope.limits import Spend
from lmmscope.settings import load_settings
from tools.claims import normal, parse
from tools.evidence import FIRING, Evidence
from tools.failures import ToolFailure
from toybox.measures import Estimate, bootstrapped, share
from toybox.planted import Planted, Rule, plant

SHOWN = 5
STRUCTURED: tuple[Rule, ...] = ("or", "and", "and not")
BARS = {
    "all: agent less best of N": ">= 0.10",
    "or, and, and not: agent less best of N": ">= 0.25",
    "noise: no supported explanation": ">= 0.90",
}


class Told(NamedTuple):
    """What became of one feature."""

    feature: int
    meaning: Planted
    status: str
    label: str | None
    """What the agent supports."""
    guess: str | None
    """What it put to the sealed test, supported or not."""
    one_shot: str | None
    """What the first question gave."""
    best: str | None
    """The best of as many questions as the agent asked models."""
    calls: int

    def right(self, label: str | None) -> bool:
        """Whether a label is what was planted; for noise, none is."""
        if self.meaning.rule == "noise":
            return label is None
        return label is not None and normal(label) == normal(self.meaning.label)


async def told(given: argparse.Namespace, runs: Path) -> list[Told]:
    """Investigate, then ask single questions as often."""
    settings = load_settings("toybox").model_copy(update={"runs": runs})
    planted = plant(given.planted_seed)
    features = tuple(range(min(given.features, len(planted))))
    rules = Rules(steer=False)  # nothing can be written into planted features
    async with hands(
        settings, Spend(), rules=rules, workers=given.workers, planted_seed=given.planted_seed
    ) as ready:
        findings = await _investigated(ready, features)
        desk = Desk(ready.lab, "one-shot", provenance=ready.provenance, rules=rules)
        found = []
        for one in findings:
            best = await best_of(desk, one)
            found.append(_told(one, planted[one.feature], best))
            print(_line(found[-1]), file=sys.stderr, flush=True)
    return found


async def _investigated(ready: Hands, features: tuple[int, ...]) -> list[FeatureFinding]:
    async def nobody(_reason: str, _cost: float) -> bool:
        return False

    plan = Plan(tasks=(Label(features=features),))
    await do(ready, "agent", plan, approve=nobody)
    return [one for one in ready.store.findings("agent") if isinstance(one, FeatureFinding)]


async def best_of(desk: Desk, finding: FeatureFinding) -> str | None:
    """As many questions as the agent asked models, each about other pictures."""
    evidence = desk.lab.artefacts.document(finding.evidence, Evidence)
    firing = evidence.of(*FIRING)
    calls = finding.cost.calls + finding.cost.cached
    rng = np.random.default_rng((93, finding.feature))
    labels: dict[str, str] = {}
    for _ in range(calls if firing else 0):
        chosen = rng.choice(len(firing), min(SHOWN, len(firing)), replace=False)
        shown = tuple(firing[at].model_copy(update={"group": "top_by_mean"}) for at in chosen)
        label = await _asked(desk, evidence.model_copy(update={"sightings": shown}))
        if label is not None:
            labels.setdefault(normal(label), label)
    return await _foretelling_best(desk, evidence, list(labels.values()))


async def _asked(desk: Desk, evidence: Evidence) -> str | None:
    name = desk.lab.artefacts.put_document(evidence)
    try:
        said = await desk.use("explain", evidence=name, mode="describe", count=SHOWN)
    except ToolFailure:
        return None
    return await label_of(desk, said.hypotheses[0].text) if said.hypotheses else None


async def _foretelling_best(desk: Desk, evidence: Evidence, labels: Sequence[str]) -> str | None:
    """The label that stands best on the explore evidence, by the agent's own measure."""
    if not labels:
        return None
    concepts = tuple(dict.fromkeys(c for label in labels for c in parse(label).concepts))
    numbers = [one.picture for one in evidence.sightings]
    looked = await extended(desk, evidence.feature, Looked(), pictures=numbers, concepts=concepts)
    standing = {label: graded(parse(label), looked).standing for label in labels}
    return max(standing, key=lambda label: standing[label])


def _told(finding: FeatureFinding, meaning: Planted, best: str | None) -> Told:
    return Told(
        feature=finding.feature,
        meaning=meaning,
        status=finding.status,
        label=finding.label if finding.status == "supported" else None,
        guess=finding.label,
        one_shot=finding.one_shot,
        best=best,
        calls=finding.cost.calls + finding.cost.cached,
    )


def _line(one: Told) -> str:
    mark = "right" if one.right(one.label) else "     "
    other = "right" if one.right(one.best) else "     "
    return (
        f"{one.feature:3} {one.meaning.rule:8} {one.meaning.label:40} {mark} {one.guess} "
        f"({one.status}, {one.calls} calls) | {other} {one.best}"
    )


def summary(found: Sequence[Told], seed: int) -> dict[str, Estimate]:
    """What must hold, measured; differences are paired over features."""
    rows: dict[str, Estimate] = {}
    kinds: dict[str, tuple[str, ...]] = {
        "all": ("single", *STRUCTURED, "noise"),
        "or, and, and not": STRUCTURED,
        "single": ("single",),
        **{rule: (rule,) for rule in STRUCTURED},
    }
    for name, rules in kinds.items():
        some = [one for one in found if one.meaning.rule in rules]
        if not some:
            continue
        rows[f"{name}: agent right"] = share([one.right(one.label) for one in some])
        rows[f"{name}: agent's guess right"] = share([one.right(one.guess) for one in some])
        rows[f"{name}: best of N right"] = share([one.right(one.best) for one in some])
        rows[f"{name}: first question right"] = share([one.right(one.one_shot) for one in some])
        gained = [float(one.right(one.label)) - one.right(one.best) for one in some]
        rows[f"{name}: agent less best of N"] = bootstrapped(
            gained, lambda values: float(np.mean(values)), seed
        )
    noises = [one for one in found if one.meaning.rule == "noise"]
    if noises:
        none = [one.status != "supported" for one in noises]
        rows["noise: no supported explanation"] = share(none)
    return rows


@in_one_line()
def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--planted-seed", type=int, default=0)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=Path, help="keep the runs here, and go on with them")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        found = asyncio.run(told(given, given.runs or Path(room)))
    rows = summary(found, given.planted_seed)
    if given.json:
        each = [one._asdict() | {"meaning": one.meaning.label} for one in found]
        measures = {name: value._asdict() for name, value in rows.items()}
        print(json.dumps({"summary": measures, "features": each}, indent=1))
        return
    table = Table("measure", "value", "95 % interval", "bar", "n")
    for name, value in rows.items():
        between = f"{value.low:.3f} to {value.high:.3f}"
        table.add_row(name, f"{value.value:.3f}", between, BARS.get(name, ""), str(value.n))
    Console().print(table)


if __name__ == "__main__":
    main()
