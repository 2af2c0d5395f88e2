"""Verifies one claim: opens the sealed pictures, measures, checks, and compares with one question.

Knows the order of things; pictures are chosen by `sample`, bars are those of `checks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from agent.desk import Desk
from agent.findings import Shortened, Verification
from agent.verification.checks import Measurement, checked
from agent.verification.sample import ENOUGH, TooRare, sample, too_rare
from sae_core.scoring.estimate import Difference
from sae_core.scoring.resampling import SHARE, difference
from tools.artefacts import ArtefactId
from tools.claims import Claim, normal, parse
from tools.evidence import FIRING, SILENT, Evidence, Split
from tools.lab import Lab
from tools.score import ScoreSheet, Which

SPLIT: Split = "test"
SHOWN = 12
"""Pictures that the judge and the grounder's masks are tried on."""
ALL: tuple[Which, ...] = ("iou", "clip", "consistency", "detection")
NULLS = 3
"""How many other labels the judge is asked about."""
EVERYDAY = (
    "car", "tree", "person", "house", "chair", "bird", "red color", "blue color", "striped pattern",
    "metal", "a beach", "a kitchen", "windows", "happy face", "the word stop",
)  # fmt: skip
"""Labels to compare with, until other features have some: common things, each of which a picture
may well show."""


async def verify(
    desk: Desk,
    key: str,
    feature: int,
    claim: str,
    one_shot: str | None = None,
    rivals: Sequence[str] = (),
    *,
    others: Sequence[str] = (),
) -> Verification | TooRare:
    """Put a claim to the sealed test: once for each key, then WontWork for any other claim.

    `one_shot` is what one question gave, measured on the same pictures; `rivals` are hypotheses
    that lost, `others` labels of other features.
    """
    sealed = len(desk.lab.opening(SPLIT).pictures(SPLIT))
    rare = await asyncio.to_thread(too_rare, desk.lab, feature, sealed)
    if rare is not None:
        return rare
    lab, tries = desk.opened(key, claim, SPLIT, f"feature {feature} of {desk.provenance.coder}")
    _, *different = _different(claim, one_shot, *rivals)
    evidence = await asyncio.to_thread(sample, lab, feature, SPLIT, claim, different)
    if evidence.fires_on < ENOUGH:
        return TooRare(evidence.fires_on, evidence.size, SPLIT)
    name = lab.artefacts.put_document(evidence)
    pool = tuple(others) if len(set(others)) >= NULLS else (*others, *EVERYDAY)
    measured = partial(_measured, desk, lab, evidence, name)
    borne = await _borne_out(measured, parse(claim), pool)
    claim, own, tries = borne.claim.text, borne.own, tries * (1 + len(borne.shortened))
    theirs = None
    if one_shot is not None and len(_different(claim, one_shot)) == 2:
        theirs = await measured(one_shot, ("iou", "detection"))
    outcome = checked(own._replace(tries=tries))
    made = Verification(
        claim=claim,
        shortened=borne.shortened,
        split=SPLIT,
        pictures=evidence.pictures,
        evidence=name,
        sheet=own.result.sheet,
        checks=outcome.checks,
        scores=dict(own.result.scores),
        unmeasured=outcome.unmeasured,
        passed=outcome.passed,
        tries=tries,
        one_shot=one_shot,
        one_shot_scores={} if theirs is None else dict(theirs.result.scores),
        better=None if theirs is None else _better(own, theirs),
    )
    _tell(desk, made)
    return made


class _Borne(NamedTuple):
    """What is left of a claim, and what was measured of that."""

    claim: Claim
    own: Measurement
    shortened: tuple[Shortened, ...]


async def _borne_out(
    measured: Callable[..., Awaitable[Measurement]], claim: Claim, others: Sequence[str]
) -> _Borne:
    """Leave out every part without which the claim does not surely foretell worse.

    More words fit a little better wherever they were chosen; here they have to earn their place.
    """
    shortened: list[Shortened] = []
    own = await measured(claim.text, ALL, others)
    while True:
        idle = [
            (found, one)
            for one in claim.shorter
            if (found := _better(own, await measured(one.text, ("detection",)))) is None
            or found.low <= 0
        ]
        if not idle:
            return _Borne(claim, own, tuple(shortened))
        better, left = min(idle, key=lambda pair: -np.inf if pair[0] is None else pair[0].value)
        shortened.append(Shortened(claim=claim.text, better=better))
        claim, own = left, await measured(left.text, ALL, others)


def _different(*words: str | None) -> tuple[str, ...]:
    """Those that there are, each once."""
    by_name = {normal(one): one for one in words if one and one.strip()}
    return tuple(by_name.values())


async def _measured(
    desk: Desk,
    lab: Lab,
    evidence: Evidence,
    name: ArtefactId,
    label: str,
    which: tuple[Which, ...],
    others: Sequence[str] = (),
) -> Measurement:
    firing, silent = (len(evidence.of(*groups)) for groups in (FIRING, SILENT))
    result = await desk.use(
        "score",
        f"measures {label!r} on sealed pictures",
        lab=lab,
        label=label,
        evidence=name,
        split=evidence.split,
        which=which,
        count=SHOWN,
        held_out=2 * max(firing, silent),
        others=others,
        nulls=NULLS,
    )
    sheet = lab.artefacts.document(result.sheet, ScoreSheet)
    near = frozenset(one.picture for one in evidence.of("rival"))
    return Measurement(result, sheet, near, lab.seed)


def _better(own: Measurement, theirs: Measurement) -> Difference | None:
    """How much more often the claim is right about firing, picture by picture."""
    if own.result.threshold is None or theirs.result.threshold is None:
        return None
    return difference(own.foretold.right, theirs.foretold.right, SHARE, own.seed)


def _tell(desk: Desk, made: Verification) -> None:
    broken = [check.name for check in made.checks if not check.passed]
    said = "passes" if made.passed else f"fails: {', '.join((*broken, *made.unmeasured))}"
    for one in made.shortened:
        desk.say("verdict", f"{one.claim!r} says more than the sealed pictures bear out")
    desk.say(
        "verdict",
        f"{made.claim!r} {said}",
        result=made.model_dump(mode="json", include={"checks", "unmeasured", "passed", "better"}),
        artefacts=(made.evidence, made.sheet),
    )
