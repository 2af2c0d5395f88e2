"""A document as rows: what of it is to be searched, sorted and joined by.

Knows findings, events and calls; nothing of where rows go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.events import Event
from agent.findings import BehaviourFinding, Cost, Difference, Estimate, FeatureFinding, Finding
from agent.store.records import Verdict, stamp
from agent.transcript import Call
from sae_core.scoring.estimate import Null, Score
from tools.artefacts import Artefacts

Fields = dict[str, Any]
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def ids_in(written: str | bytes) -> set[str]:
    """Whatever looks like an artefact's id; other digests do too, which no artefact has."""
    found = _ID.findall(written.encode() if isinstance(written, str) else written)
    return {one.decode() for one in found}


def artefacts_in(artefacts: Artefacts, written: str | bytes) -> list[str]:
    """The artefacts that a document names, and that there are."""
    return sorted(one for one in ids_in(written) if one in artefacts)


def finding_row(finding: Finding) -> Fields:
    """The finding itself."""
    feature = isinstance(finding, FeatureFinding)
    return {
        "id": finding.id,
        "key": finding.key,
        "run": finding.run,
        "kind": finding.kind,
        "feature": finding.feature if feature else None,
        "coder": finding.provenance.coder,
        "status": finding.status,
        "label": finding.label if feature else finding.behaviour,
        "category": finding.category if feature else None,
        "summary": finding.summary,
        "document": finding.model_dump_json(),
        "at": stamp(finding.at),
    }


def words_row(finding: Finding) -> Fields:
    """What a finding is found by."""
    row = finding_row(finding)
    claims: list[str] = []
    question = None
    if isinstance(finding, FeatureFinding):
        claims = [one.claim for one in finding.hypotheses]
    else:
        claims = [one.label for one in finding.culprits if one.label]
        question = finding.question
    told = {name: row[name] for name in ("label", "summary", "category")}
    return {"finding": finding.id, **told, "claims": "\n".join(claims), "question": question}


def hypothesis_rows(finding: Finding) -> Iterator[Fields]:
    """Every claim that competed, best first."""
    if isinstance(finding, BehaviourFinding):
        return
    for rank, one in enumerate(finding.hypotheses):
        yield {
            "finding": finding.id,
            "rank": rank,
            "claim": one.claim,
            "origin": one.origin,
            "votes": one.votes,
            "tests": len(one.tests),
            "standing": one.standing,
        }


def score_rows(finding: Finding) -> Iterator[Fields]:
    """Every value with each of its nulls."""
    if isinstance(finding, BehaviourFinding):
        if finding.reproduced is not None:
            yield from _valued(finding.id, "behaviour", "reproduced", finding.reproduced)
        return
    if (verified := finding.verification) is None:
        return
    yield from _scored(finding.id, "claim", verified.scores)
    yield from _scored(finding.id, "one-shot", verified.one_shot_scores)
    if verified.better is not None:
        yield from _valued(finding.id, "difference", "better", verified.better)


def _scored(name: str, whose: str, scores: Mapping[str, Score]) -> Iterator[Fields]:
    for measure, score in scores.items():
        yield from _valued(name, whose, measure, score)


def _valued(name: str, whose: str, measure: str, value: Estimate) -> Iterator[Fields]:
    known = value.model_dump(include={"value", "low", "high", "n"})
    row = {"finding": name, "whose": whose, "measure": measure, **known}
    nulls: tuple[Null | None, ...] = value.nulls if isinstance(value, Score) else (None,)
    for null in nulls:
        p = value.p if isinstance(value, Difference) else null.p if null else None
        yield {
            **row,
            "null_name": null.name if null else None,
            "null_value": null.value if null else None,
            "p": p,
        }


def event_row(event: Event) -> Fields:
    """An event, and what it cost in columns of their own."""
    row = event.model_dump(mode="json", exclude={"cost", "at"})
    for name in ("arguments", "result"):
        row[name] = None if row[name] is None else json.dumps(row[name])
    row["artefacts"] = json.dumps(row["artefacts"])
    return {**row, **dict(event.cost), "at": stamp(event.at)}


def event_of(row: Mapping[str, Any]) -> Event:
    """The event that a row was made from."""
    fields = dict(row)
    for name in ("arguments", "result", "artefacts"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return Event.model_validate({**_without_cost(fields), "cost": cost_of(row)})


def call_row(call: Call) -> Fields:
    """A call, and what it cost in columns of their own."""
    row = call.model_dump(mode="json", exclude={"cost", "at"})
    for name in ("messages", "settings", "reply", "failure"):
        row[name] = None if row[name] is None else json.dumps(row[name])
    return {**row, **dict(call.cost), "at": stamp(call.at)}


def call_of(row: Mapping[str, Any]) -> Call:
    """The call that a row was made from."""
    fields = {name: value for name, value in row.items() if name != "id"}
    for name in ("messages", "settings", "reply", "failure"):
        fields[name] = None if fields[name] is None else json.loads(fields[name])
    return Call.model_validate({**_without_cost(fields), "cost": cost_of(row)})


def verdict_row(verdict: Verdict) -> Fields:
    """What a person thinks."""
    row = verdict.model_dump(exclude={"tags", "at"})
    return {**row, "tags": json.dumps(verdict.tags), "at": stamp(verdict.at)}


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """The verdict that a row was made from."""
    fields = {name: value for name, value in row.items() if name != "id"}
    return Verdict.model_validate({**fields, "tags": json.loads(fields["tags"])})


def cost_of(row: Mapping[str, Any]) -> Cost:
    """The cost in a row's columns; nothing where nothing was summed up."""
    return Cost(**{name: row[name] or 0 for name in Cost.model_fields})


def _without_cost(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in Cost.model_fields}
