"""The loop of an investigation: gather, propose, experiment until nothing is left to win, choose.

Each step takes a document and gives one, so that it can be a node of a graph, and be done again
after a crash. Knows the order of steps and when to stop; experiments are in `experiments`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from agent.desk import Desk
from agent.feature.covering import KIND as OCCLUDE
from agent.feature.editing import AS_LIKELY
from agent.feature.editing import KIND as EDIT
from agent.feature.experiments import RUN, Experiment, possible
from agent.feature.inquiry import Inquiry, Looked, extended
from agent.feature.ledger import CHANCE, ranked, with_test
from agent.feature.proposals import first_label, proposed
from agent.findings import Hypothesis
from agent.meter import metered
from tools.claims import parse
from tools.evidence import Evidence

TOP, PER_QUANTILE, NEGATIVES = 8, 4, 8
SOUGHT = 24
"""Pictures that look like a proposed concept, for each of them."""
HALF_LOST = 0.5
CAUSES = frozenset((OCCLUDE, EDIT))
"""Tests on changed pictures: they tell why the feature fires, not how often a claim is right."""
LEAST = 0.2
"""How far above chance a hypothesis has to foretell firing to be worth a sealed test."""


async def gather(desk: Desk, feature: int) -> Inquiry:
    """The feature's explore evidence."""
    with metered() as meter:
        found = await desk.use(
            "top_images",
            f"gathered evidence for feature {feature}",
            feature=feature,
            top=TOP,
            per_quantile=PER_QUANTILE,
            negatives=NEGATIVES,
        )
    return Inquiry(
        feature=feature,
        evidence=found.evidence,
        fires_on=found.fires_on,
        short=found.short,
        looked=desk.lab.artefacts.put_document(Looked()),
        over="it fires on too few pictures" if found.short else None,
        spent=meter.cost,
    )


async def propose(desk: Desk, inquiry: Inquiry) -> Inquiry:
    """Competing hypotheses, and a first look at pictures that look as they say."""
    with metered() as meter:
        one_shot = await first_label(desk, inquiry.evidence)
        ledger = await proposed(desk, inquiry.evidence)
    moved = inquiry.model_copy(
        update={
            "one_shot": one_shot,
            "over": None if ledger else "no two askings agree on anything to describe",
            "spent": inquiry.spent.plus(meter.cost),
        }
    )
    return await admit(desk, moved, ledger)


async def admit(desk: Desk, inquiry: Inquiry, ledger: Sequence[Hypothesis]) -> Inquiry:
    """Hypotheses enter the ledger, whoever has them, with a first look at where they would fit."""
    with metered() as meter:
        concepts = tuple(dict.fromkeys(c for one in ledger for c in parse(one.claim).concepts))
        looked = inquiry.seen(desk)
        if ledger:
            evidence = desk.lab.artefacts.document(inquiry.evidence, Evidence)
            numbers = [one.picture for one in evidence.sightings]
            for concept in concepts:
                found = await desk.use(
                    "seek", f"looked for pictures of {concept!r}", claim=concept, count=SOUGHT
                )
                numbers += found.pictures
            looked = await extended(
                desk, inquiry.feature, looked, pictures=numbers, concepts=concepts
            )
    moved = inquiry.model_copy(update={"spent": inquiry.spent.plus(meter.cost)})
    return _entered(desk, moved, looked, ledger, "detect")


async def experiment(desk: Desk, inquiry: Inquiry) -> Inquiry:
    """The experiment that promises most for its cost; or the end, and why."""
    looked = inquiry.seen(desk)
    found = await asyncio.to_thread(possible, inquiry, looked, edits=desk.lab.edits)
    if why := _end(desk, inquiry, found):
        desk.say("note", f"no more experiments: {why}")
        return inquiry.model_copy(update={"over": why})
    chosen = found[0]
    with metered() as meter:
        looked, ledger = await RUN[chosen.kind](desk, inquiry, looked, chosen)
    moved = inquiry.model_copy(
        update={"done": (*inquiry.done, chosen.name), "spent": inquiry.spent.plus(meter.cost)}
    )
    return _entered(desk, moved, looked, ledger, chosen.kind)


def choose(inquiry: Inquiry) -> Hypothesis | None:
    """The hypothesis that stands best; None if none is clearly better than chance.

    One is passed over if the feature clearly hardly cares when what it speaks of is covered, or
    clearly does the opposite of what it says when one thing is edited.
    """
    useless = {part for one in inquiry.hypotheses if refuted(one) for part in _alternatives(one)}
    rivals = (
        one
        for one in inquiry.hypotheses
        if not useless & _alternatives(one) and not mispredicts(one)
    )
    best = next(rivals, None)
    return best if best is not None and _clear(best) else None


def refuted(one: Hypothesis) -> bool:
    """Covering it costs the feature clearly less than half of what it has there."""
    return any(test.kind == OCCLUDE and test.estimate.high < HALF_LOST for test in one.tests)


def mispredicts(one: Hypothesis) -> bool:
    """After one edit the feature clearly does what a rival says, and not what it says."""
    return any(test.kind == EDIT and test.estimate.high < AS_LIKELY for test in one.tests)


def _alternatives(one: Hypothesis) -> set[str]:
    return set(parse(one.claim).any_of)


def _clear(one: Hypothesis) -> bool:
    """It foretells firing far better than chance, by its standing and by its last test."""
    foretelling = [test for test in one.tests if test.kind not in CAUSES]
    return (
        one.standing is not None
        and one.standing >= CHANCE + LEAST
        and bool(foretelling)
        and foretelling[-1].estimate.low > CHANCE
    )


def _end(desk: Desk, inquiry: Inquiry, found: Sequence[Experiment]) -> str | None:
    """Why to stop now."""
    rules, kinds = desk.rules, [name.partition(" | ")[0] for name in inquiry.done]
    if inquiry.over is not None:
        return inquiry.over
    if not found:
        return "nothing is left that promises to change the order"
    if len(inquiry.done) >= rules.rounds:
        return f"{rules.rounds} rounds are over"
    if rules.calls is not None and inquiry.spent.calls >= rules.calls:
        return f"{rules.calls} calls of models are spent"
    if rules.seconds is not None and inquiry.spent.seconds >= rules.seconds:
        return f"{rules.seconds:g} seconds are over"
    if len(kinds) >= rules.repeats and set(kinds[-rules.repeats :]) == {found[0].kind}:
        return f"{found[0].kind} was tried {rules.repeats} times in a row"
    return None


def _entered(
    desk: Desk, inquiry: Inquiry, looked: Looked, ledger: Sequence[Hypothesis], kind: str
) -> Inquiry:
    """The ledger brought up to date, and told."""
    asked = f"foretells firing on {len(looked.pictures)} explore pictures"
    order = ranked(ledger, looked)
    if kind not in CAUSES or len(ledger) > len(inquiry.hypotheses):
        kind = "detect" if kind in CAUSES else kind
        order = with_test(order, looked, kind, asked, desk.rules.hypotheses, desk.lab.seed)
    for one in order[: desk.rules.hypotheses]:
        if one.tests and one.standing is not None:
            desk.say("test", f"{one.claim}: {one.standing:.2f}", result=one.model_dump(mode="json"))
    return inquiry.model_copy(
        update={"hypotheses": order, "looked": desk.lab.artefacts.put_document(looked)}
    )
