"""What is the matter with a feature or its label, and which class of things the label belongs to.

Knows checks and standings; nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.desk import Desk
from agent.findings import Hypothesis, SteeringOutcome, Tag, Verification
from tools.claims import parse
from tools.evidence import Evidence
from tools.failures import ToolFailure


class Filed(NamedTuple):
    """Under what a feature is filed."""

    category: str | None
    """Of its label; None where there is no label, or nobody could say."""
    tags: tuple[Tag, ...]


async def filed(
    desk: Desk,
    evidence: Evidence,
    label: str | None,
    hypotheses: Sequence[Hypothesis] = (),
    verification: Verification | None = None,
    steering: SteeringOutcome | None = None,
) -> Filed:
    """The label's class, and everything that is the matter."""
    named = () if label is None else parse(label).any_of
    classes = [await _category(desk, one) for one in named]
    known = list(dict.fromkeys(one for one in classes if one is not None))
    tags: list[Tag] = []
    if not evidence.fires_on:
        tags.append("dead")
    elif not hypotheses:
        tags.append("unreadable")
    if verification is not None and not verification.passed:
        tags += failings(verification)
    if len(known) > 1:
        tags.append("polysemantic")
    if steering is not None and steering.role == "output":
        tags.append("output-only")
    return Filed(known[0] if known else None, tuple(tags))


def failings(verification: Verification) -> tuple[Tag, ...]:
    """How a claim that failed misses the feature; nothing where that was not measured."""
    passed = {check.name: check.passed for check in verification.checks}
    tells = any(passed.get(name, False) for name in ("foretells firing", "ranks firing first"))
    reaches, apart = passed.get("reaches"), passed.get("near misses")
    if reaches is None or apart is None:
        return ()
    if reaches and not apart:
        return ("too broad",)
    if tells and not reaches:
        return ("too narrow",)
    return () if tells else ("wrong",)


async def _category(desk: Desk, label: str) -> str | None:
    """The class of one thing; None where the model does not say, which is recorded."""
    try:
        return (await desk.use("categorise", f"sorts {label!r}", label=label)).category
    except ToolFailure:
        return None
