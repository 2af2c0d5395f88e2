"""Small documents of every kind, and a store in a folder of each test's own."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from agent.events import Event
from agent.findings import (
    BehaviourFinding,
    Cost,
    FeatureFinding,
    Hypothesis,
    Provenance,
    Test,
    Verification,
)
from agent.store import Store
from agent.transcript import Call, Said, SaidPart
from sae_core.scoring.estimate import Difference, Estimate, Null, Score
from tools.backends.chat import ChatReply

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROVENANCE = Provenance(model="m", hook="h", coder="coder", profile="toybox")
NOWHERE = "0" * 64
"""The id of no artefact."""


def score_of(value, null):
    return Score(
        value=value,
        low=value - 0.1,
        high=value + 0.1,
        n=20,
        nulls=(
            Null(name="moved_masks", value=null, low=null, high=null, n=20, draws=99, p=0.01),
            Null(name="shuffled_labels", value=null, low=null, high=null, n=20, draws=9, p=0.1),
        ),
    )


def finding_of(feature=118, label="red umbrella", status="supported", **fields):
    """A finding about a feature; without other artefacts it rests on none."""
    artefact = fields.pop("artefact", NOWHERE)
    coder = fields.pop("coder", "coder")
    verified = Verification(
        claim=label or "",
        pictures="p",
        evidence=artefact,
        sheet=artefact,
        checks=(),
        scores={"iou_strict": score_of(0.6, 0.1), "auroc": score_of(0.9, 0.5)},
        passed=True,
        one_shot="umbrella",
        one_shot_scores={"auroc": score_of(0.8, 0.5)},
        better=Difference(value=0.1, low=0, high=0.2, n=20, p=0.04),
    )
    tested = Test(
        kind="detect", asked="?", estimate=Estimate(value=0.9, low=0.8, high=1, n=9), chance=0.5
    )
    usual = {
        "key": f"{coder} {feature}",
        "run": "r1",
        "at": NOON,
        "summary": f"feature {feature} responds to {label}",
        "cost": Cost(),
        "provenance": PROVENANCE.model_copy(update={"coder": coder}),
        "feature": feature,
        "status": status,
        "label": label,
        "evidence": artefact,
        "hypotheses": (
            Hypothesis(claim=f"{label}", origin="contrast", tests=(tested,), standing=0.9),
            Hypothesis(claim="a beach", origin="seen alone"),
        ),
        "verification": verified if status == "supported" else None,
    }
    return FeatureFinding(**{**usual, **fields})


def behaviour_of(**fields):
    usual = {
        "key": "behaviour",
        "run": "r1",
        "summary": "the recipe removes it",
        "cost": Cost(),
        "provenance": PROVENANCE,
        "behaviour": "sees umbrellas on beaches",
        "question": "is there an umbrella?",
        "wrong": "yes",
        "right": "no",
        "status": "fixed",
        "reproduced": Estimate(value=0.7, low=0.6, high=0.8, n=40),
    }
    return BehaviourFinding(**{**usual, **fields})


def event_of(text="happened", *, unit="0/118", step=2, place=0, run="r1", **fields):
    return Event(
        run=run, unit=unit, step=step, place=place, who="decide", text=text,
        **{"kind": "note", "at": NOON + timedelta(seconds=place), **fields},
    )  # fmt: skip


def call_of(digest="d1", *, text="what is it?", said="a cat", unit="0/118", step=2, **fields):
    usual = {
        "run": "r1", "role": "judge", "model": "m", "identity": "i", "prompt": "p", "settings": {},
        "messages": (Said(speaker="user", parts=(SaidPart(text=text),)),),
        "reply": ChatReply(text=said, model="m"), "at": NOON,
    }  # fmt: skip
    return Call(**{**usual, "digest": digest, "unit": unit, "step": step, **fields})


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def store(runs):
    """A store with a run r1 that this process works on."""
    with Store(runs, patience=0.05) as made:
        made.begin("r1", "what is feature 118?", PROVENANCE, pid=os.getpid())
        yield made
