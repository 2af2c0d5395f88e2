"""How often the features of a batch asked each model for something, read from a run's events.

Knows tools' arguments; nothing of how long anything took.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.store import Reader


class Asked(BaseModel):
    """What a feature asks for, on the mean; what was known already and not asked is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    explained: float
    """Calls of the explainer."""
    shown: float
    """Pictures that each of these showed."""
    judged: float
    """Calls of the judge, of one picture each."""
    described: float
    """Pictures that the target describes."""
    grounded: float
    """Pictures in which a concept is looked for, once for each concept; known ones included."""
    steered: float
    """Answers of the target while features are written into it, plain ones included."""
    tokens: float
    """Of each of these answers, at most."""
    edited: float
    """Edited or covered pictures that the target looks at."""


def asked(store: Reader, run: str, features: int) -> Asked:
    """What so many features of a run asked for."""
    explained, shown = _calls(store, run, "explainer")
    judged, _ = _calls(store, run, "judge")
    described, _ = _calls(store, run, "describer")
    given = list(_given(store, run))
    steered = [(_answers(one), one["tokens"]) for tool, one in given if tool == "steer"]
    answers = sum(count for count, _ in steered)
    return Asked(
        explained=round(explained / features, 2),
        shown=round(shown, 2),
        judged=round(judged / features, 2),
        described=round(described / features, 2),
        grounded=round(sum(_grounded(tool, one) for tool, one in given) / features, 1),
        steered=round(answers / features, 2),
        tokens=round(sum(n * tokens for n, tokens in steered) / max(answers, 1), 1),
        edited=round(sum(_edited(tool, one) for tool, one in given) / features, 2),
    )


def _calls(store: Reader, run: str, role: str) -> tuple[int, float]:
    """How many went out, and how many pictures one showed."""
    query = """
      SELECT count(*) AS n, coalesce(avg((SELECT count(*) FROM shown WHERE call = calls.id)), 0)
        AS shown
      FROM calls WHERE run = ? AND role = ? AND calls > 0"""
    (row,) = store.rows(query, (run, role))
    return row["n"], row["shown"]


def _given(store: Reader, run: str) -> Iterator[tuple[str, dict[str, Any]]]:
    query = "SELECT tool, arguments FROM events WHERE run = ? AND kind = 'tool' AND unit LIKE '0/%'"
    for row in store.rows(query, (run,)):
        yield row["tool"], json.loads(row["arguments"])


def _answers(given: dict[str, Any]) -> int:
    """Of one steering trial: the plain one, and each strength of the features and of controls."""
    return 1 + len(given["strengths"]) * (1 + len(given["controls"]))


def _grounded(tool: str, given: dict[str, Any]) -> int:
    match tool:
        case "look":
            return len(given["pictures"]) * len(given["concepts"])
        case "ground":
            return len(given["pictures"])
        case "score":
            return given["held_out"]
    return 0


def _edited(tool: str, given: dict[str, Any]) -> int:
    return len(given["pictures"]) if tool in ("edit_one", "counterfactual") else 0
