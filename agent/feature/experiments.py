"""Experiments that tell hypotheses apart, each with what it promises for its cost.

- condition: on some pictures it fits and the feature is silent: what else tells those apart?
- alternative: on some pictures the feature fires and nothing fits: what is there instead?
- separate: two hypotheses that stand alike meet pictures on which they differ.
- occlude: what the best hypothesis speaks of is covered, and as much of the picture elsewhere.
- edit: one thing is added to pictures or removed, so that of two hypotheses one fits and one does
  not; if both need what the other says, what they say together becomes a hypothesis. With no
  rival: whatever there is is added to firing pictures; what silences them becomes a condition.

Knows the ledger and tools; nothing of what the features mean.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from agent.desk import Desk
from agent.feature.covering import covered
from agent.feature.differences import differences
from agent.feature.editing import compounds, edited, judged, near_misses
from agent.feature.inquiry import Inquiry, Looked, extended
from agent.feature.ledger import Grade, entered, graded, guessed
from agent.feature.proposals import LEAST_VOTES, explained, heads, nested
from agent.feature.silencing import silencing
from agent.findings import Hypothesis, Test
from tools.claims import Claim, parse
from tools.evidence import FIRING, Evidence

Kind = Literal["condition", "alternative", "separate", "occlude", "edit"]
SOUGHT = {"condition": 128, "separate": 24}
"""Pictures that are looked at for it."""
COST: dict[Kind, float] = {
    "condition": 2.0, "alternative": 1.0, "separate": 0.5, "occlude": 0.5, "edit": 1.0
}  # fmt: skip
"""What an experiment takes, roughly, in seconds of a small model."""
WORTH = 0.004
"""What an experiment has to promise, in balanced accuracy a second."""
CONFIRMED = 0.004
"""What it is worth to know that the best hypothesis is where it says."""
COVERED = 8
"""Pictures in which that is tried."""
CONTENDING = 3
"""So many of the best hypotheses are experimented with."""
UNMET = 0.01
"""What a condition may win, at least, that no picture so far could have shown."""
DOUBT = 0.06
"""Hypotheses that stand no further apart than this may change places."""
SURE = 0.4
"""What this share of the firing pictures falls below is not surely there. A detector that takes one
thing for another is seldom as sure of it, and a condition would only mend its errors."""
FEW = 3
"""So many pictures are no pattern."""


class Experiment(NamedTuple):
    """Something to try."""

    kind: Kind
    claim: str
    rival: str | None
    worth: float
    """How much balanced accuracy it may win, for each second that it takes."""

    @property
    def name(self) -> str:
        """What makes it the same as another one."""
        return " | ".join(filter(None, (self.kind, self.claim, self.rival)))


class Outcome(NamedTuple):
    """What an experiment added."""

    looked: Looked
    ledger: tuple[Hypothesis, ...]


class _Sides(NamedTuple):
    """Pictures on which a claim fits."""

    firing: list[int]
    silent: list[int]


def possible(inquiry: Inquiry, looked: Looked, *, edits: bool) -> list[Experiment]:
    """What has not been tried and promises something, the most worth first.

    Pictures are edited only where there is an editor.
    """
    standing = [one for one in inquiry.hypotheses if one.standing is not None]
    if not standing:
        return []
    top, best = standing[0].standing or 0.0, parse(standing[0].claim)
    found = []
    for place, one in enumerate(standing[:CONTENDING]):
        claim, behind = parse(one.claim), top - (one.standing or 0.0)
        grade = graded(claim, looked)
        if claim.parts == 1 or (one is standing[0] and claim == claim.bare):
            # Where it never failed, the pictures on which it would may not have been met.
            silent = max((1 - grade.specificity) / 2, UNMET) - behind
            found.append(_experiment("condition", claim, None, silent))
            tried = found[-1].name in inquiry.done
            if edits and not place and tried:
                found.append(_experiment("edit", claim, None, UNMET))
        if place:
            found.append(_experiment("separate", best, one.claim, (DOUBT - behind) / 2))
            if edits and behind < DOUBT:
                # Last of all: two names of one thing can't be told apart by editing.
                found.append(_experiment("edit", best, one.claim, CONFIRMED))
        elif claim == claim.bare:
            found.append(_experiment("alternative", claim, None, (1 - grade.recall) / 2))
    found.append(_experiment("occlude", best.bare, None, CONFIRMED))
    if edits and best != best.bare:
        found.append(_experiment("edit", best, best.bare.text, CONFIRMED))
    fresh = [one for one in found if one.worth >= WORTH and one.name not in inquiry.done]
    return sorted(fresh, key=lambda one: -one.worth)


def _experiment(kind: Kind, claim: Claim, rival: str | None, gain: float) -> Experiment:
    return Experiment(kind, claim.text, rival, gain / COST[kind])


async def condition(desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment) -> Outcome:
    """What else is in pictures where it fits, by whether the feature fires."""
    claim = parse(one.claim)
    looked = await _sought(desk, inquiry, looked, one, SOUGHT["condition"])
    firing, silent = _sides(claim, looked)
    if len(silent) < FEW or len(firing) < FEW:
        return Outcome(looked, inquiry.hypotheses)
    found = await differences(desk, firing, silent)
    looked = await extended(
        desk, inquiry.feature, looked, concepts=[phrase.text for phrase in found]
    )
    new = [
        guessed(claim.model_copy(update={"beside": phrase.text}), "beside")
        if phrase.firing
        else guessed(claim.model_copy(update={"without": phrase.text}), "without")
        for phrase in found
        if not any(nested(phrase.text, one) for one in claim.any_of)
    ]
    return Outcome(looked, entered(inquiry.hypotheses, new))


async def alternative(desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment) -> Outcome:
    """What the explainer sees where the feature fires and nothing fits."""
    claim = parse(one.claim)
    grade = graded(claim, looked)
    numbers = np.array(looked.pictures)
    missed = set(numbers[looked.fires_N & ~grade.called_N].tolist())
    evidence = desk.lab.artefacts.document(inquiry.evidence, Evidence)
    shown = tuple(s for s in evidence.of(*FIRING) if s.picture in missed)
    if len(shown) < FEW:
        return Outcome(looked, inquiry.hypotheses)
    part = desk.lab.artefacts.put_document(evidence.model_copy(update={"sightings": shown}))
    said = entered((), await explained(desk, part, "apart", "seen alone"))
    given = [
        one
        for one in entered(said, heads(said))
        if one.votes >= LEAST_VOTES and parse(one.claim).parts == 1
    ][: desk.rules.hypotheses]
    concepts = [one.claim for one in given]
    looked = await extended(desk, inquiry.feature, looked, concepts=concepts)
    either = [
        guessed(claim.model_copy(update={"any_of": (*claim.any_of, concept)}), "either")
        for concept in concepts
        if not any(nested(concept, other) for other in claim.any_of)
    ]
    return Outcome(looked, entered(inquiry.hypotheses, (*given, *either)))


async def separate(desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment) -> Outcome:
    """More pictures on which the two differ."""
    looked = await _sought(desk, inquiry, looked, one, SOUGHT["separate"])
    return Outcome(looked, inquiry.hypotheses)


async def occlude(desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment) -> Outcome:
    """Cover it where it surely is; hypotheses with the same alternatives share the test."""
    bare = parse(one.claim)
    there = _there(graded(bare, looked), looked) & looked.fires_N
    numbers = np.array(looked.pictures)[there].tolist()[:COVERED]
    test = await covered(desk, inquiry.feature, bare, numbers)
    if test is None:
        return Outcome(looked, inquiry.hypotheses)
    return Outcome(
        looked,
        tuple(
            h.model_copy(update={"tests": (*h.tests, test)}) if parse(h.claim).bare == bare else h
            for h in inquiry.hypotheses
        ),
    )


async def edit(desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment) -> Outcome:
    """Near misses, one edit away from where the two hypotheses part."""
    if one.rival is None:
        return await _silenced(desk, inquiry, looked, parse(one.claim))
    pair = parse(one.claim), parse(one.rival)
    misses = near_misses(*pair, looked)
    shown = await edited(desk, inquiry.feature, pair, misses)
    if not shown:
        return Outcome(looked, inquiry.hypotheses)
    more = compounds(*pair)
    found = judged(pair, more, looked, shown, desk.lab.seed)
    best = max((found[claim.text].estimate.value for claim in pair if found), default=1.0)
    new = [
        guessed(claim, "beside" if claim.beside else "without" if claim.without else "either")
        for claim in more
        if found and _told(found[claim.text], best)
    ]
    ledger = entered(inquiry.hypotheses, new)
    return Outcome(looked, tuple(_tested(h, found) for h in ledger))


async def _silenced(desk: Desk, inquiry: Inquiry, looked: Looked, claim: Claim) -> Outcome:
    """What silences the feature where the claim fits becomes a condition.

    Whatever else the feature is said to need beside the same thing is held against it, too.
    """
    standing = [parse(one.claim) for one in inquiry.hypotheses if one.standing is not None]
    like = [one for one in standing[: desk.rules.hypotheses] if one.bare == claim.bare != one]
    sides = _sides(claim, looked)
    found = await silencing(desk, inquiry.feature, (claim, *like), sides.firing, sides.silent)
    if found is None:
        return Outcome(looked, inquiry.hypotheses)
    looked = await extended(desk, inquiry.feature, looked, concepts=[found.suspect])
    further = claim.model_copy(update={"without": found.suspect})
    tested = judged((claim, further), like, looked, found.edited, desk.lab.seed)
    ledger = entered(inquiry.hypotheses, [guessed(further, "without")])
    return Outcome(looked, tuple(_tested(h, tested) for h in ledger))


def _told(test: Test, best: float) -> bool:
    """It is clearly better than chance, and more often right than either of the two."""
    return test.estimate.low > test.chance and test.estimate.value > best


def _tested(one: Hypothesis, found: Mapping[str, Test]) -> Hypothesis:
    test = found.get(one.claim)
    return one if test is None else one.model_copy(update={"tests": (*one.tests, test)})


RUN: dict[Kind, Callable[[Desk, Inquiry, Looked, Experiment], Awaitable[Outcome]]] = {
    "condition": condition,
    "alternative": alternative,
    "separate": separate,
    "occlude": occlude,
    "edit": edit,
}


async def _sought(
    desk: Desk, inquiry: Inquiry, looked: Looked, one: Experiment, count: int
) -> Looked:
    text = f"looked for pictures of {one.claim!r}"
    text += f" that {one.rival!r} does not fit, or the other way round" if one.rival else ""
    found = await desk.use("seek", text, claim=one.claim, against=one.rival, count=count)
    return await extended(desk, inquiry.feature, looked, pictures=found.pictures)


def _sides(claim: Claim, looked: Looked) -> _Sides:
    """The pictures on which the claim surely fits, the surest first."""
    grade = graded(claim, looked)
    there = _there(grade, looked)
    order = np.argsort(-grade.score_N, kind="stable")
    numbers = np.array(looked.pictures)
    return _Sides(
        numbers[order][(there & looked.fires_N)[order]].tolist(),
        numbers[order][(there & ~looked.fires_N)[order]].tolist(),
    )


def _there(grade: Grade, looked: Looked) -> np.ndarray:
    """Where the claim surely fits: as surely as where the feature fires [N]."""
    return grade.score_N >= np.quantile(grade.score_N[looked.fires_N], SURE)
