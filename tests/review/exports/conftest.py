"""A small store of everything that exports have to cope with, markup and formulas among it."""

import os
from datetime import timedelta

import pytest
from PIL import Image

from agent.findings import Cost
from agent.store import Store, Verdict
from agent.transcript import CallFailure, Said, SaidPart
from tests.agent.store.conftest import (
    NOON,
    PROVENANCE,
    behaviour_of,
    call_of,
    event_of,
    finding_of,
)
from tools.evidence import Evidence, Sighting

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","me")'


def evidence_of(feature=118):
    cells = ((0.0, 1.5), (0.25, 0.0))
    usual = {"mean": 0.4, "peak": 1.5}
    return Evidence(
        feature=feature, coder="coder", model="m", hook="layers.24", split="explore",
        pictures="digest", grid=(2, 2), fires_on=5, size=20, short=False, mean=0.4, peak=1.5,
        level=0.2,
        sightings=(
            Sighting(picture=7, group="top_by_max", cells=cells, **usual),
            Sighting(picture=7, group="top_by_mean", cells=cells, **usual),
            Sighting(picture=8, group="quantile", quantile=1, cells=((0.5, 0.0), (0.0, 0.0)),
                     mean=0.1, peak=0.5),
            Sighting(picture=9, group="random"),
        ),
    )  # fmt: skip


@pytest.fixture
def store(runs):
    """One run `r1` that is done, with a unit 0 and two features below it."""
    with Store(runs) as made:
        made.begin("r1", f"what is {SCRIPT}?", PROVENANCE, pid=os.getpid())
        picture = made.artefacts.put_picture(Image.new("RGB", (40, 30), "red"))
        evidence = made.artefacts.put_document(evidence_of())
        finding = finding_of(
            label=FORMULA,
            artefact=evidence,
            summary=f"feature 118 responds to {SCRIPT}",
            provenance=PROVENANCE.model_copy(update={"hook": "layers.24", "model": "org/A Model"}),
        )
        made.hear(event_of("asked", unit="run", step=0, kind="asked"))
        made.hear(event_of("investigate", unit="0", step=1, kind="task"))
        spent = Cost(calls=1, tokens=30, seconds=4.0)
        made.hear(
            event_of(
                f"showed {SCRIPT}", kind="tool", tool="explain", cost=spent, place=1,
                arguments={"count": 2}, result={"shown": [picture]}, artefacts=(picture,),
                at=NOON + timedelta(seconds=5),
            )
        )  # fmt: skip
        made.hear(event_of("broke", kind="failure", tool="ground", place=2))
        told = {"finding": finding.id, "status": "supported"}
        made.hear(event_of("found", kind="finding", step=3, result=told))
        said = Said(
            speaker="user", parts=(SaidPart(picture=picture), SaidPart(text=f"what? {SCRIPT}"))
        )
        made.record(call_of(messages=(said,), said=SCRIPT, at=NOON + timedelta(seconds=3)))
        made.record(
            call_of("d2", reply=None, failure=CallFailure(kind="WontWork", reason="no such model"))
        )
        made.put(finding)
        made.hear(event_of("later", unit="0/9", step=1, at=NOON + timedelta(hours=1)))
        made.put(behaviour_of(summary=f"- {SCRIPT}"))
        made.put(finding_of(9, label=None, status="too rare", artefact=evidence))
        made.judge(Verdict(finding=finding.id, reviewer=SCRIPT, score=4, note=SCRIPT))
        made.ended("r1", "done", f"**It** is {SCRIPT} (finding {finding.id}, [{evidence[:12]}])")
        yield made


@pytest.fixture
def run(store):
    return store.run("r1")
