"""Features whose meaning is known, and how: from findings, from one question, or from the renderer.

Knows sources; nothing of what the features are wanted for. Truth about the toybox is for choosing
what a picture shows, never for scoring: scores use labels that somebody found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from agent.findings import FeatureFinding
from agent.store import Reader
from benchmarks.paper.bench import Bench
from benchmarks.paper.drawing import draw
from tools.failures import WontWork
from tools.replies import Described

Source = Literal["findings", "one question", "the renderer"]
LOOKED_AT = 12
"""For each feature that is wanted, so many are labelled at most."""


class Known(NamedTuple):
    """A feature and what it stands for."""

    feature: int
    label: str
    category: str
    source: Source
    worth: float
    """How well the label fits, as its source measures it: within a source, more is better."""


class Labelled(NamedTuple):
    """Some features of a category, and how they were come by."""

    known: tuple[Known, ...]
    source: Source
    looked_at: int
    """How many features were labelled to find them."""


def found_out(runs: Path, coder: str) -> list[Known]:
    """What findings support about a coder's features, those that foretell firing best first."""
    if not (runs / "findings.db").exists():
        return []
    with Reader(runs) as store:
        known = store.known(None, status="supported", count=5000, coder=coder)
        findings = [store.finding(one.finding) for one in known]
    rows = [
        Known(one.feature, one.label or "", one.category or "", "findings", _worth(one))
        for one in findings
        if isinstance(one, FeatureFinding)
    ]
    return sorted(rows, key=lambda one: (-one.worth, one.feature))


def _worth(finding: FeatureFinding) -> float:
    scores = finding.verification.scores if finding.verification else {}
    score = scores.get("balanced_accuracy")
    return 0.0 if score is None else score.value


async def labelled(bench: Bench, category: str, count: int) -> Labelled:
    """So many features of a category: from findings if there are any, else one question each."""
    rng = np.random.default_rng((bench.seed, 9))
    found = [
        one
        for one in found_out(bench.lab.runs, bench.lab.observer.digest)
        if one.category == category
    ]
    if found:
        some = rng.permutation(len(found))[:count].tolist()
        return Labelled(tuple(found[at] for at in sorted(some)), "findings", len(found))
    known, looked_at = [], 0
    for feature in draw(bench.lab.index("explore"), LOOKED_AT * count, bench.seed).features:
        if len(known) == count:
            break
        looked_at += 1
        one = await one_shot(bench, feature)
        if one is not None and one.category == category:
            known.append(one)
            bench.say(f"{len(known)} of {count}: feature {feature}, {one.label!r}")
    if not known:
        raise WontWork(
            f"One question named no {category} among {looked_at} features. Label some with "
            "lmmscope batch, and give its --runs"
        )
    return Labelled(tuple(known), "one question", looked_at)


async def one_shot(bench: Bench, feature: int) -> Known | None:
    """What one question about its five strongest pictures makes of a feature."""
    seen = await bench.call("top_images", feature=feature, negatives=0)
    told = await bench.call("explain", evidence=seen.evidence)
    if not told.hypotheses:
        return None
    short = await bench.call("refine", explanation=told.hypotheses[0].text)
    if not isinstance(short.outcome, Described):
        return None
    label = short.outcome.text
    category = (await bench.call("categorise", label=label)).category
    return Known(feature, label, category, "one question", 0.0)


def best_of(bench: Bench) -> list[Known]:
    """Features with their meanings, the best known first: findings', or the renderer's truth."""
    coder = bench.lab.observer.digest
    return found_out(bench.lab.runs, coder) or _true(coder)


def _true(coder: str) -> list[Known]:
    """The toybox's features that tell a concept's pictures, if it is the toybox's coder."""
    from toybox.models import WEIGHTS
    from toybox.truth import GOOD, read_truth
    from toybox.vocabulary import concept

    truth = read_truth(WEIGHTS / "sae-truth.json")
    if truth.coder != coder:
        return []
    rows = [
        Known(
            feature,
            concept(one.concept).label,
            concept(one.concept).group,
            "the renderer",
            one.auroc * one.iou,
        )
        for feature, one in truth.features.items()
        if one.auroc >= GOOD
    ]
    return sorted(rows, key=lambda one: (-one.worth, one.feature))
