"""Findings in words.

Knows documents; adds nothing to what they say.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.done import cited
from agent.findings import (
    BehaviourFinding,
    Counts,
    FeatureFinding,
    Firing,
    Hypothesis,
    Status,
    SteeringOutcome,
    Verification,
)
from sae_core.scoring.estimate import Estimate

NAMES = {
    "iou_strict": "IoU",
    "iou_paper": "IoU as in the paper",
    "clip_strict": "CLIP-score",
    "clip_paper": "CLIP-score as in the paper",
    "consistency": "judge agrees",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
}


def headline(feature: int, status: Status, label: str | None, *, strongly: bool) -> str:
    """A feature's finding in one line; `strongly` where weak activations don't count as firing."""
    much = " strongly" if strongly else ""
    match status:
        case "supported":
            return f"feature {feature} responds{much} to {label}"
        case "refuted":
            return f"feature {feature}: {label!r} was the best guess, and failed the sealed test"
        case "too rare":
            return f"feature {feature} fires{much} on too few pictures to say what it responds to"
    return f"feature {feature}: no supported explanation"


def finding_text(finding: FeatureFinding, *, at_length: bool = False) -> str:
    """What a finding claims, what it rests on, and what speaks against it."""
    lines = [f"**{finding.summary}** (finding {finding.id}, evidence {cited(finding.evidence)})"]
    if finding.category:
        lines.append(f"- class: {finding.category}")
    if finding.firing and finding.firing.level:
        lines.append(f"- {_firing(finding.firing)}")
    if finding.verification:
        lines += _verified(finding.verification)
    if finding.hypotheses:
        lines += _competed(finding.hypotheses, 12 if at_length else 4)
    if finding.steering:
        lines.append(_steered(finding.steering))
    if finding.tags:
        lines.append(f"- beware: {', '.join(finding.tags)}")
    lines.append(f"- cost: {_cost(finding)}")
    return "\n".join(lines)


def behaviour_text(finding: BehaviourFinding) -> str:
    """What mends a behaviour, what it does otherwise, and what the controls do."""
    lines = [f"**{finding.summary}** (finding {finding.id})"]
    if finding.reproduced:
        lines.append(f"- happens in {between(finding.reproduced)} of the development cases")
    for one in finding.culprits[:5]:
        label = f" ({one.label})" if one.label else ""
        lines.append(
            f"- feature {one.feature}{label} speaks for {finding.wrong!r}: {one.by_image:+.2f} "
            f"logits by the picture, {one.by_text:+.2f} by the text; separates wrong from right "
            f"answers with an AUROC of {one.separability:.2f}"
        )
    if finding.recipe:
        lines.append(f"- recipe {cited(finding.recipe)}")
    lines += [_counts(one) for one in (*finding.sealed, *finding.side_effects)]
    lines.append(f"- cost: {finding.cost.calls} calls, {finding.cost.seconds:.0f} s")
    return "\n".join(lines)


def between(value: Estimate) -> str:
    """A value with its interval."""
    return f"{value.value:.2f} ({value.low:.2f} to {value.high:.2f})"


def _firing(firing: Firing) -> str:
    weakly = "" if firing.at_all is None else f"; it is active at all on {firing.at_all:.1%}"
    return f"fires from {firing.level:.3g} on, on {firing.often:.1%} of the pictures{weakly}"


def _verified(verification: Verification) -> list[str]:
    said = "passed" if verification.passed else "failed"
    sheet = f"{cited(verification.evidence)} {cited(verification.sheet)}"
    before = f"opened {verification.tries - 1} times before"
    known = "that nobody had looked at" if verification.tries == 1 else before
    lines = [f"- sealed verification {said} on pictures {known} {sheet}:"]
    for check in verification.checks:
        mark = "passed" if check.passed else "FAILED"
        chance = "" if check.p is None else f", p {check.p:.3g} against its null"
        lines.append(
            f"    - {check.name}: {check.value:.2f}, low end {check.low:.2f} against "
            f"{check.bar:.2f}{chance}: {mark}"
        )
    for name, score in verification.scores.items():
        nulls = ", ".join(f"{null.name.replace('_', ' ')} {null.value:.2f}" for null in score.nulls)
        lines.append(f"    - {NAMES.get(name, name)} {between(score)} beside {nulls}")
    lines += [f"    - {name}: not measured, {why}" for name, why in verification.unmeasured.items()]
    for one in verification.struck:
        told = f"{one.won} pictures spoke for the rest, {one.lost} against it"
        lines.append(f"    - {one.claim!r} was claimed first: {told}")
    if verification.one_shot and verification.one_shot != verification.claim:
        better = "" if verification.better is None else f": {verification.better.value:+.2f}"
        lines.append(f"    - against the one-shot label {verification.one_shot!r}{better}")
    return lines


def _competed(hypotheses: Sequence[Hypothesis], most: int) -> list[str]:
    lines = [f"- {len(hypotheses)} hypotheses were tried:"]
    for one in hypotheses[:most]:
        stands = "never tried" if one.standing is None else f"{one.standing:.2f}"
        lines.append(f"    - {one.claim} ({one.origin}, {len(one.tests)} tests): {stands}")
    if len(hypotheses) > most:
        lines.append(f"    - and {len(hypotheses) - most} more")
    return lines


def _steered(outcome: SteeringOutcome) -> str:
    shown = "; ".join(f"{one.name} moves {between(one.moved)} nats" for one in outcome.swings)
    return f"- steering: {outcome.role}. {outcome.why}" + (f" ({shown})" if shown else "")


def _counts(one: Counts) -> str:
    return (
        f"- {one.name}: {one.better} better, {one.same} same, {one.worse} worse of {one.n} "
        f"(right {one.right_before} before, {one.right_after} after; McNemar p {one.p:.3g})"
    )


def _cost(finding: FeatureFinding) -> str:
    cost = finding.cost
    money = f", {cost.money:.4f} paid" if cost.money else ""
    return f"{cost.calls} model calls, {cost.cached} from the cache, {cost.seconds:.0f} s{money}"
