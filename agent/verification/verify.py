"""Verifies one claim: opens the sealed pictures, measures, checks, and compares with one question.

Knows the order of things; pictures are chosen by `sample`, bars are those of `checks`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from agent.desk import Desk
from agent.findings import Struck, Verification
from agent.provenance import subject_of
from agent.verification.checks import Measurement, checked
from agent.verification.sample import ENOUGH, TooRare, sample, too_rare
from sae_core.masks import placed
from sae_core.scoring.estimate import Difference
from sae_core.scoring.resampling import SHARE, difference
from sae_core.scoring.significance import mcnemar_p
from tools.artefacts import ArtefactId
from tools.claims import Claim, normal, parse
from tools.evidence import FIRING, SILENT, Evidence, Split
from tools.failures import TryAgain
from tools.lab import Lab
from tools.score import ScoreSheet, Which

SPLIT: Split = "test"
SHOWN = 12
"""Pictures that the judge and the grounder's masks are tried on."""
ALL: tuple[Which, ...] = ("iou", "clip", "consistency", "detection")
FORETOLD: tuple[Which, ...] = ("detection",)
PLACES: Which = "iou"
"""What can't be asked of queries, each of which looks at all of a picture."""
IDLE = 0.2
"""A part of a claim stays where pictures speak for it so clearly, two-sided. It has been found on
many explore pictures already, and only few of the sealed ones are such that it decides."""
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
    lab, tries = desk.opened(key, claim, SPLIT, subject_of(desk.provenance, feature))
    also = [one for one in (one_shot, *rivals) if one]
    taken = await _taken(desk, lab, feature, claim, also)
    if taken.evidence.fires_on < ENOUGH:
        return TooRare(taken.evidence.fires_on, taken.evidence.size, SPLIT)
    borne = await _borne_out(taken.measured, parse(claim))
    if borne.struck:
        # Near misses of what was claimed first tell nothing of whether the rest is too broad.
        claim, tries = borne.claim.text, tries * (1 + len(borne.struck))
        taken = await _taken(desk, lab, feature, claim, also)
    evidence, measured = taken.evidence, taken.measured
    pool = tuple(others) if len(set(others)) >= NULLS else (*others, *EVERYDAY)
    own = await measured(claim, _askable(evidence, ALL), pool)
    theirs = None
    if one_shot is not None and len(_different(claim, one_shot)) == 2:
        theirs = await measured(one_shot, _askable(evidence, ("iou", "detection")))
    outcome = checked(own._replace(tries=tries))
    made = Verification(
        claim=claim,
        struck=borne.struck,
        split=SPLIT,
        pictures=evidence.pictures,
        evidence=own.result.evidence,
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


class _Taken(NamedTuple):
    """Sealed pictures for a claim, and how to measure on them."""

    evidence: Evidence
    measured: Callable[..., Awaitable[Measurement]]


async def _taken(desk: Desk, lab: Lab, feature: int, claim: str, also: Sequence[str]) -> _Taken:
    """Choose the pictures; near misses are the claim's own and those of what else was said."""
    _, *different = _different(claim, *also)
    evidence = await asyncio.to_thread(sample, lab, feature, SPLIT, claim, different)
    name = lab.artefacts.put_document(evidence)
    return _Taken(evidence, partial(_measured, desk, lab, evidence, name))


class _Borne(NamedTuple):
    """What is left of a claim, and what was not borne out."""

    claim: Claim
    struck: tuple[Struck, ...]


async def _borne_out(measured: Callable[..., Awaitable[Measurement]], claim: Claim) -> _Borne:
    """Strike every part without which the claim foretells no worse.

    More words fit a little better wherever they were chosen; here they have to earn their place.
    """
    struck: list[Struck] = []
    while claim.shorter:  # foretelling decides; the rest is measured of what stays
        own = await measured(claim.text, FORETOLD)
        parts = [
            _part(claim, one, own, await measured(one.text, FORETOLD)) for one in claim.shorter
        ]
        idle = [one for one in parts if one.won <= one.lost or one.p >= IDLE]
        if not idle:
            break
        struck.append(max(idle, key=lambda one: one.lost - one.won))
        claim = parse(struck[-1].left)
    return _Borne(claim, tuple(struck))


def _part(claim: Claim, left: Claim, own: Measurement, without: Measurement) -> Struck:
    """How the claim does with a part, and without it; as good as without if nobody can say."""
    won = lost = 0
    if own.result.threshold is not None and without.result.threshold is not None:
        with_N, without_N = own.foretold.right.value_N, without.foretold.right.value_N
        won, lost = int((with_N > without_N).sum()), int((with_N < without_N).sum())
    return Struck(claim=claim.text, left=left.text, won=won, lost=lost, p=mcnemar_p(won, lost))


def _askable(evidence: Evidence, which: tuple[Which, ...]) -> tuple[Which, ...]:
    return which if placed(evidence.grid) else tuple(one for one in which if one != PLACES)


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
    for missing in result.unmeasured.values():
        if missing.again:  # a server that is down must not count against the claim for good
            raise TryAgain(f"The sealed test could not be ended: {missing.reason}")
    sheet = lab.artefacts.document(result.sheet, ScoreSheet)
    near = frozenset(one.picture for one in evidence.of("fitting"))
    return Measurement(result, sheet, near, placed(evidence.grid), lab.seed)


def _better(own: Measurement, theirs: Measurement) -> Difference | None:
    """How much more often the claim is right about firing, picture by picture."""
    if own.result.threshold is None or theirs.result.threshold is None:
        return None
    return difference(own.foretold.right, theirs.foretold.right, SHARE, own.seed)


def _tell(desk: Desk, made: Verification) -> None:
    broken = [check.name for check in made.checks if not check.passed]
    said = "passes" if made.passed else f"fails: {', '.join((*broken, *made.unmeasured))}"
    for one in made.struck:
        told = f"{one.won} pictures speak for it, {one.lost} against it"
        desk.say("verdict", f"{one.claim!r} says no more than {one.left!r}: {told}")
    desk.say(
        "verdict",
        f"{made.claim!r} {said}",
        result=made.model_dump(mode="json", include={"checks", "unmeasured", "passed", "better"}),
        artefacts=(made.evidence, made.sheet),
    )
