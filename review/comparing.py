"""Two findings side by side: row by row what each of them says, and where they differ.

Knows findings; nothing of pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from agent.findings import BehaviourFinding, Estimate, FeatureFinding, Finding
from agent.summary import NAMES
from review.charts import Beside, IntervalPlot, Scale, interval_plot, scale_of
from review.queries.scores import NullMark, Scored
from review.words import cost, day, figure, lasted, two

_DIGEST = re.compile(r"\b[0-9a-f]{40,64}\b")
Cell = str | tuple[str, ...] | Scored | None
Cells = dict[str, Cell]


class Row(NamedTuple):
    """What both say about one thing; None: nothing."""

    name: str
    kind: Literal["text", "list", "score"]
    left: Cell
    right: Cell
    least: float = 0.0
    most: float = 1.0
    """Between what the scale of scores is."""

    @property
    def differs(self) -> bool:
        """Whether it is worth a look."""
        return self.left != self.right

    def plot(self, scored: Scored) -> IntervalPlot:
        """One of its scores, on the scale of both."""
        beside = [Beside(null.name.replace("_", " "), null.value) for null in scored.nulls]
        scale = Scale(self.least, self.most)
        return interval_plot(scored.value, scored.low, scored.high, scale, beside=beside)


class Section(NamedTuple):
    """Rows that belong together; those that neither has anything to say on are left out."""

    title: str
    rows: tuple[Row, ...]


def compared(left: Finding, right: Finding) -> tuple[Section, ...]:
    """All that two findings say."""
    parts = {
        "What it says": _claim,
        "Scores": _scores,
        "Sealed test": _checks,
        "Hypotheses": _hypotheses,
        "Steering": _steering,
        "What it took": _cost,
        "Made with": _provenance,
    }
    sections = (Section(title, _rows(of(left), of(right))) for title, of in parts.items())
    return tuple(one for one in sections if one.rows)


def _rows(left: Cells, right: Cells) -> tuple[Row, ...]:
    rows = []
    for name in dict.fromkeys([*left, *right]):
        cells = left.get(name), right.get(name)
        if cells == (None, None):
            continue
        kind: Literal["text", "list", "score"] = "text"
        scored = [one for one in cells if isinstance(one, Scored)]
        if scored:
            kind = "score"
        elif any(isinstance(one, tuple) for one in cells):
            kind = "list"
        ends = [end for one in scored for end in (one.low, one.high)]
        scale = scale_of(ends)
        rows.append(Row(name, kind, *cells, scale.low, scale.high))
    return tuple(rows)


def _claim(finding: Finding) -> Cells:
    common: Cells = {"status": finding.status, "summary": finding.summary}
    if isinstance(finding, BehaviourFinding):
        return {
            **common,
            "behaviour": finding.behaviour,
            "question": finding.question,
            "wrong answer": finding.wrong,
            "right answer": finding.right,
            "culprits": tuple(str(one.feature) for one in finding.culprits),
            "recipe": finding.recipe,
        }
    firing = finding.firing
    return {
        "label": finding.label,
        **common,
        "category": finding.category,
        "tags": ", ".join(finding.tags) or None,
        "fires from": figure(firing.level) if firing else None,
        "fires on": f"{100 * firing.often:.1f} % of the pictures" if firing else None,
        "one question's label": finding.one_shot,
    }


def _scores(finding: Finding) -> Cells:
    if isinstance(finding, BehaviourFinding):
        return {"reproduced": _estimate(finding.reproduced)}
    if finding.verification is None:
        return {}
    return {
        NAMES.get(name, name): _estimate(score, [NullMark(n.name, n.value) for n in score.nulls])
        for name, score in finding.verification.scores.items()
    }


def _checks(finding: Finding) -> Cells:
    if isinstance(finding, BehaviourFinding):
        return {
            one.name: f"{one.better} better, {one.same} same, {one.worse} worse, p {figure(one.p)}"
            for one in finding.sealed
        }
    if finding.verification is None:
        return {}
    sealed = finding.verification
    better = sealed.better
    return {
        "claim": sealed.claim,
        **{
            one.name: f"{'passed' if one.passed else 'failed'}: {two(one.value)}, "
            f"low end {two(one.low)} against {two(one.bar)}"
            for one in sealed.checks
        },
        "times opened": str(sealed.tries),
        "better than one question": _estimate(better),
    }


def _hypotheses(finding: Finding) -> Cells:
    if not isinstance(finding, FeatureFinding):
        return {}
    claims = tuple(
        one.claim if one.standing is None else f"{one.claim} ({two(one.standing)})"
        for one in finding.hypotheses
    )
    return {"claims": claims or None}


def _steering(finding: Finding) -> Cells:
    if not isinstance(finding, FeatureFinding) or finding.steering is None:
        return {}
    found = finding.steering
    return {
        "role": found.role,
        "why": found.why,
        "set to": None if found.strength is None else figure(found.strength),
        **{f"moved by {one.name}": _estimate(one.moved) for one in found.swings},
    }


def _cost(finding: Finding) -> Cells:
    spent = finding.cost
    return {"calls": cost(spent) or None, "work": lasted(spent.seconds), "found": day(finding.at)}


def _provenance(finding: Finding) -> Cells:
    known = finding.provenance
    plain = known.model_dump(include={"model", "hook", "coder", "profile", "revision"})
    named = {"models": known.models, "prompts": known.prompts, "packages": known.packages}
    found: Cells = {"run": finding.run, **{name: _short(one) for name, one in plain.items()}}
    found["seed"] = str(known.seed)
    for one, values in named.items():
        found[one] = tuple(_listed(values)) or None
    return found


def _listed(values: dict[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{name}: {_short(value)}"


def _short(text: str) -> str | None:
    """Digests by their beginning."""
    return _DIGEST.sub(lambda digest: digest[0][:12], text) or None


def _estimate(value: Estimate | None, nulls: Sequence[NullMark] = ()) -> Cell:
    if value is None:
        return None
    return Scored(value.value, value.low, value.high, value.n, tuple(nulls))
