"""A run as a log of Inspect (format 2, JSON): a sample for each unit, its events, calls and scores.

The log is written in pieces, samples last as Inspect has it. Pictures are attachments by their
SHA-256. Knows records; nothing of Inspect's code, which is not needed to write one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.findings import FeatureFinding, Finding
from agent.store import Reader, RunRecord
from review.exports.inspect_sample import Json, Sample, time_of
from review.exports.pictures import Pictures
from review.exports.source import each_part

_STATUS = {"done": "success", "failed": "error", "aborted": "cancelled", "paused": "cancelled"}
_STATUS |= {"running": "started", "interrupted": "cancelled"}
TASK = "lmmscope"


def log_name(run: RunRecord) -> str:
    """What Inspect's viewer expects a log to be called."""
    return f"{run.began:%Y-%m-%dT%H-%M-%S%z}_{TASK}_{run.id}.json".replace("+0000", "+00-00")


def log_pieces(store: Reader, run: RunRecord, pictures: Pictures) -> Iterator[str]:
    """The log, a sample at a time."""
    findings = {one.id: one for one in store.findings(run.id)}
    head = _head(run, tuple(findings.values()))
    yield json.dumps(head)[:-1] + ', "samples": ['
    between = ""
    for part in each_part(store, run.id):
        yield between + json.dumps(Sample(run, part, findings, pictures).document())
        between = ", "
    yield "]}\n"


def _head(run: RunRecord, findings: tuple[Finding, ...]) -> Json:
    about = run.provenance
    commit, dirty = about.revision.removesuffix("+"), about.revision.endswith("+")
    revision = {"type": "git", "origin": "", "commit": commit, "dirty": dirty}
    told = {"question": run.question, "answer": run.answer, "profile": run.profile}
    began, ended = time_of(run.began), time_of(run.ended) if run.ended else ""
    evaluated = {
        "eval_id": run.id,
        "run_id": run.id,
        "created": began,
        "task": TASK,
        "task_id": run.id,
        "task_version": 0,
        "task_attribs": {},
        "task_args": {},
        "task_args_passed": {},
        "model_generate_config": {},
        "model_args": {},
        "dataset": {"name": about.pictures.get("explore"), "samples": None},
        "model": about.model,
        "model_roles": {
            role: {"model": name, "config": {}, "args": {}} for role, name in about.models.items()
        },
        "config": {},
        "revision": revision if commit else None,
        "packages": about.packages,
        "metadata": {**told, "provenance": about.model_dump(mode="json")},
        "tags": [run.standing],
    }
    failed = run.status == "failed"
    error = {"message": run.answer or "failed", "traceback": "", "traceback_ansi": ""}
    return {
        "version": 2,
        "status": _STATUS[run.standing],
        "eval": evaluated,
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": _results(findings),
        "stats": {
            "started_at": began,
            "completed_at": ended,
            "model_usage": {},
            "role_usage": {},
            "connection_limit_history": [],
        },
        **({"error": error} if failed else {}),
        "invalidated": False,
        "tags": evaluated["tags"],
        "metadata": evaluated["metadata"],
    }


def _results(findings: tuple[Finding, ...]) -> Json:
    """The share of features whose explanation passed; and each measure's mean beside its nulls."""
    features = [one for one in findings if isinstance(one, FeatureFinding)]
    supported = [float(one.status == "supported") for one in features]
    scores = [_metric("supported", {"mean": supported})] if features else []
    values: dict[str, dict[str, list[float]]] = {}
    for one in features:
        for name, score in (one.verification.scores if one.verification else {}).items():
            told = values.setdefault(name, {})
            told.setdefault("mean", []).append(score.value)
            for null in score.nulls:
                told.setdefault(f"null {null.name}", []).append(null.value)
    scores += [_metric(name, told) for name, told in values.items()]
    return {"total_samples": len(features), "completed_samples": len(features), "scores": scores}


def _metric(name: str, values: dict[str, list[float]]) -> Json:
    metrics = {
        metric: {"name": metric, "value": sum(all_) / len(all_), "params": {}}
        for metric, all_ in values.items()
    }
    return {"name": name, "scorer": name, "params": {}, "metrics": metrics}
