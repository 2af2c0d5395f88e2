"""The nodes of the feature graph: gather, propose, experiment, choose, verify, steer, conclude.

Knows the state of an investigation and the order of ids in it; how each step is done is in
`agent.feature`, `agent.verification`, `agent.steering` and `agent.tags`.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from langgraph.runtime import Runtime

from agent import feature as investigation
from agent import roaming
from agent.desk import Desk
from agent.feature import Inquiry
from agent.feature.proposals import first_label
from agent.findings import FeatureFinding, Firing, Status, SteeringOutcome, Verification
from agent.nodes.steps import cost_of, document, node
from agent.steering import steering_test
from agent.summary import headline
from agent.tags import filed
from agent.verification import TooRare
from agent.verification import verify as verified
from tools.evidence import Evidence

RIVALS = 4
"""So many of the hypotheses that lost say where near misses are looked for."""


class FeatureState(TypedDict, total=False):
    """An investigation on its way; all of it plain JSON, pictures and documents by their ids."""

    unit: str
    feature: int
    key: str
    """What the finding will be known by."""
    inquiry: dict[str, Any]
    """As `agent.feature.Inquiry`."""
    claim: str | None
    """What is worth the sealed pictures."""
    rare: str
    """Why there is too little to see; empty where there is enough."""
    verification: dict[str, Any] | None
    steering: dict[str, Any] | None
    cost: dict[str, Any]


@node
async def gather(desk: Desk, state: FeatureState) -> FeatureState:
    """Evidence on explore pictures; where there is too little, that is the finding."""
    inquiry = await investigation.gather(desk, state["feature"])
    rare = (inquiry.over or "") if inquiry.short else ""
    return {"inquiry": inquiry.model_dump(mode="json"), "rare": rare}


def after_gather(
    state: FeatureState, runtime: Runtime[Any]
) -> Literal["propose", "roam", "conclude"]:
    """Nothing is proposed where nothing could be shown."""
    if state["rare"]:
        return "conclude"
    desk: Desk = runtime.context
    return "propose" if desk.explorer is None else "roam"


@node
async def roam(desk: Desk, state: FeatureState) -> FeatureState:
    """A chat model investigates as it likes; its claims enter the same ledger."""
    inquiry, model = _inquiry(state), desk.explorer
    assert model is not None, "after_gather sends nobody here without a model"
    one_shot = await first_label(desk, inquiry.evidence)
    claims = await roaming.roam(desk, model, state["feature"], inquiry.evidence)
    over = inquiry.model_copy(
        update={"one_shot": one_shot, "over": "the model investigated freely"}
    )
    admitted = await investigation.admit(desk, over, claims)
    return {"inquiry": admitted.model_dump(mode="json")}


@node
async def propose(desk: Desk, state: FeatureState) -> FeatureState:
    """Competing hypotheses, from several views of the evidence."""
    inquiry = await investigation.propose(desk, _inquiry(state))
    return {"inquiry": inquiry.model_dump(mode="json")}


@node
async def experiment(desk: Desk, state: FeatureState) -> FeatureState:
    """The experiment that tells the hypotheses apart best; the ledger keeps what came of it."""
    inquiry = await investigation.experiment(desk, _inquiry(state))
    return {"inquiry": inquiry.model_dump(mode="json")}


def after_propose(state: FeatureState) -> Literal["experiment", "choose"]:
    """Another experiment, while it may change anything."""
    return "choose" if _inquiry(state).over is not None else "experiment"


@node
async def choose(desk: Desk, state: FeatureState) -> FeatureState:
    """The claim that is worth the sealed pictures, or none."""
    chosen = investigation.choose(_inquiry(state))
    desk.say(
        "hypotheses",
        f"{chosen.claim!r} stands best and goes into the sealed test"
        if chosen
        else "no hypothesis is clearly better than chance: nothing to verify",
    )
    return {"claim": chosen.claim if chosen else None}


def after_choose(state: FeatureState) -> Literal["verify", "steer"]:
    """Without a claim there is nothing to verify; what the feature does may still be seen."""
    return "verify" if state.get("claim") else "steer"


@node
async def verify(desk: Desk, state: FeatureState) -> FeatureState:
    """The sealed test, once."""
    claim, inquiry = state.get("claim") or "", _inquiry(state)
    rivals = [one.claim for one in inquiry.hypotheses if one.claim != claim][:RIVALS]
    made = await verified(desk, state["key"], state["feature"], claim, inquiry.one_shot, rivals)
    if isinstance(made, TooRare):
        return {"rare": made.why, "verification": None}
    return {"verification": made.model_dump(mode="json")}


@node
async def steer(desk: Desk, state: FeatureState) -> FeatureState:
    """What writing the feature changes, if that is wanted."""
    if not desk.rules.steer:
        return {"steering": None}
    tested = state.get("verification") or {}
    label = tested["claim"] if tested.get("passed") else None
    outcome = await steering_test(desk, state["feature"], label)
    return {"steering": outcome.model_dump(mode="json")}


@node
async def conclude(desk: Desk, state: FeatureState) -> FeatureState:
    """Write the finding down; from then on it stands."""
    inquiry = _inquiry(state)
    evidence = desk.lab.artefacts.document(inquiry.evidence, Evidence)
    verification = document(Verification, state.get("verification"))
    steering = document(SteeringOutcome, state.get("steering"))
    status = _status(state, verification)
    label = verification.claim if verification is not None else None
    found = await filed(desk, evidence, label, inquiry.hypotheses, verification, steering)
    finding = FeatureFinding(
        key=state["key"],
        run=desk.run,
        summary=headline(state["feature"], status, label, strongly=evidence.fires_from > 0),
        cost=cost_of(state),
        provenance=desk.provenance,
        feature=state["feature"],
        status=status,
        label=label,
        category=found.category,
        tags=found.tags,
        evidence=inquiry.evidence,
        firing=Firing(
            level=evidence.fires_from,
            often=evidence.fires_on / evidence.size,
            at_all=evidence.active_on,
        ),
        hypotheses=inquiry.hypotheses,
        one_shot=inquiry.one_shot,
        verification=verification,
        steering=steering,
    )
    desk.keeper.put(finding)
    desk.say("finding", finding.summary, result={"finding": finding.id, "status": status})
    return {}


def _status(state: FeatureState, verification: Verification | None) -> Status:
    if state.get("rare"):
        return "too rare"
    if verification is None:
        return "no explanation"
    return "supported" if verification.passed else "refuted"


def _inquiry(state: FeatureState) -> Inquiry:
    return Inquiry.model_validate(state["inquiry"])
