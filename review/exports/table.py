"""A finding as one row of plain cells: the same columns in CSV, JSON lines and Parquet.

Every value stands beside its interval and beside each null. What a column is made for is fixed, so
that files of different stores fit together; a measure without columns goes into `other scores`.
Knows findings; nothing of files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from agent.findings import BehaviourFinding, Estimate, FeatureFinding, Finding, Verification

Cell = str | int | float | bool | None
Row = dict[str, Cell]
Type = Literal["text", "integer", "number", "truth"]
MEASURES: dict[str, tuple[str, ...]] = {
    "iou_strict": ("moved_masks", "shuffled_labels"),
    "iou_paper": ("moved_masks", "shuffled_labels"),
    "clip_strict": ("random_pictures", "generic_caption"),
    "clip_paper": ("random_pictures", "generic_caption"),
    "consistency": ("shuffled_labels",),
    "balanced_accuracy": ("shuffled_labels",),
    "auroc": ("shuffled_labels",),
}
"""What a label is measured by, and the nulls that each measure is held against."""


class Column(NamedTuple):
    """A column, and what its cells are."""

    name: str
    type: Type


def row_of(finding: Finding) -> Row:
    """All cells of a finding, in the order of the columns; None where there is nothing to say."""
    told = {**_common(finding), **_provenance(finding)}
    if isinstance(finding, FeatureFinding):
        told |= _feature(finding)
    else:
        told |= _behaviour(finding)
    return {column.name: told.get(column.name) for column in COLUMNS}


def _columns() -> Iterator[Column]:
    yield from (Column("kind", "text"), Column("feature", "integer"))
    yield from (Column(name, "text") for name in ("status", "label", "category", "tags", "summary"))
    yield from (Column(name, "number") for name in ("fires from", "fires on", "active on"))
    yield from (Column(name, "integer") for name in ("hypotheses", "tests"))
    yield from (Column("passed", "truth"), Column("tries", "integer"), Column("claim", "text"))
    for measure, nulls in MEASURES.items():
        yield from _value(measure)
        for null in nulls:
            yield Column(f"{measure} null {null}", "number")
            yield Column(f"{measure} null {null} p", "number")
    yield Column("one-shot label", "text")
    yield from (column for name in MEASURES for column in _value(f"one-shot {name}"))
    yield from (*_value("better than one-shot"), Column("better than one-shot p", "number"))
    yield from (Column(name, "text") for name in ("failed checks", "unmeasured", "other scores"))
    yield from (Column("steering role", "text"), Column("steering strength", "number"))
    yield from (*_value("steering moved"), Column("steering best control", "number"))
    yield from (Column(name, "text") for name in ("behaviour", "question", "wrong", "right"))
    yield from (*_value("reproduced"), Column("culprits", "text"), Column("recipe", "text"))
    for name in ("better", "same", "worse"):
        yield Column(f"sealed {name}", "integer")
    yield Column("sealed p", "number")
    yield from (Column(name, "integer") for name in ("calls", "cached", "tokens"))
    yield from (Column(name, "number") for name in ("seconds", "money"))
    for name in ("model", "hook", "coder", "profile", "revision", "explainer", "judge", "grounder"):
        yield Column(name, "text")
    yield Column("seed", "integer")
    yield from (Column(name, "text") for name in ("finding", "run", "at", "evidence", "key"))


def _value(name: str) -> Iterator[Column]:
    yield from (Column(f"{name}{end}", "number") for end in ("", " low", " high"))
    yield Column(f"{name} n", "integer")


COLUMNS = tuple(_columns())


def _common(finding: Finding) -> Row:
    return {
        "finding": finding.id,
        "at": finding.at.isoformat(),
        **finding.model_dump(include={"run", "kind", "status", "summary", "key"}),
        **dict(finding.cost),
    }


def _provenance(finding: Finding) -> Row:
    known = finding.provenance
    played = {name: known.models.get(name) for name in ("explainer", "judge", "grounder")}
    plain = known.model_dump(include={"model", "hook", "coder", "profile", "revision", "seed"})
    return {**plain, **played}


def _feature(finding: FeatureFinding) -> Row:
    row: Row = {
        "feature": finding.feature,
        "label": finding.label,
        "category": finding.category,
        "tags": "; ".join(finding.tags) or None,
        "hypotheses": len(finding.hypotheses),
        "tests": sum(len(one.tests) for one in finding.hypotheses),
        "one-shot label": finding.one_shot,
        "evidence": finding.evidence,
    }
    if (firing := finding.firing) is not None:
        row |= {"fires from": firing.level, "fires on": firing.often, "active on": firing.at_all}
    if finding.verification is not None:
        row |= _verified(finding.verification)
    if (steered := finding.steering) is not None:
        row |= {"steering role": steered.role, "steering strength": steered.strength}
        moved = {one.name: one.moved for one in steered.swings}
        row |= _estimated("steering moved", moved.pop("feature", None))
        row["steering best control"] = max((one.value for one in moved.values()), default=None)
    return row


def _verified(verified: Verification) -> Row:
    row: Row = {
        "passed": verified.passed,
        "tries": verified.tries,
        "claim": verified.claim,
        "one-shot label": verified.one_shot,
        "failed checks": "; ".join(one.name for one in verified.checks if not one.passed) or None,
        "unmeasured": _json(verified.unmeasured),
        **_estimated("better than one-shot", verified.better),
        "better than one-shot p": verified.better.p if verified.better else None,
    }
    for measure, score in verified.one_shot_scores.items():
        row |= _estimated(f"one-shot {measure}", score)
    for measure, score in verified.scores.items():
        row |= _estimated(measure, score)
        for null in score.nulls:
            row[f"{measure} null {null.name}"] = null.value
            row[f"{measure} null {null.name} p"] = null.p
    rest = {
        name: score.model_dump(mode="json")
        for name, score in verified.scores.items()
        if name not in MEASURES or {null.name for null in score.nulls} - {*MEASURES[name]}
    }
    return {**row, "other scores": _json(rest)}


def _behaviour(finding: BehaviourFinding) -> Row:
    plain = finding.model_dump(include={"behaviour", "question", "wrong", "right", "recipe"})
    row: Row = {
        **plain,
        **_estimated("reproduced", finding.reproduced),
        "culprits": "; ".join(str(one.feature) for one in finding.culprits) or None,
    }
    for one in finding.sealed[:1]:  # the recipe; the controls stand behind it
        counted = one.model_dump(include={"better", "same", "worse", "p"})
        row |= {f"sealed {name}": value for name, value in counted.items()}
    return row


def _estimated(name: str, value: Estimate | None) -> Row:
    if value is None:
        return {}
    return {
        name: value.value,
        f"{name} low": value.low,
        f"{name} high": value.high,
        f"{name} n": value.n,
    }


def _json(values: Mapping[str, Any]) -> str | None:
    return json.dumps(values) if values else None
