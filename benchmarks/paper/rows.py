"""A survey's numbers as rows of tables, the paper's own beside them.

Knows measures and columns; nothing of how anything was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from benchmarks.paper import published
from benchmarks.paper.averaging import by_chance, over, span_of
from benchmarks.paper.published import Given, Model
from benchmarks.paper.report import Cell, Row, Series, Table
from benchmarks.paper.scoring import Scored
from benchmarks.paper.survey import Measured, Survey
from lmmscope.wiring import SHIPPED
from sae_core.scoring.overlap import Mode
from sae_core.scoring.resampling import SHARE, Span
from tools.measures import Which

Scores = dict[Mode, Sequence[Scored]]
TITLES: dict[Which, str] = {
    "iou": "IoU", "clip": "CLIP-score", "consistency": "Consistency"
}  # fmt: skip
DIGITS: dict[Which, int] = {"iou": 3, "clip": 1, "consistency": 2}
STRICT_NULL: dict[Which, str] = {
    "iou": "other labels, strict",
    "clip": "other pictures, strict",
    "consistency": "other labels, strict",
}
PAPER, STRICT, PRINTED = "paper mode", "strict mode", "the paper"
RANDOM, PRINTED_RANDOM = "random", "the paper's random"
PAPER_NULL = "other labels, paper mode"
N_PAPER, N_STRICT = "n, paper mode", "n, strict mode"


LEGEND = (
    "Intervals are of 95 %, by bootstrap over features, n of them. `other` is what the paper does "
    "not tell apart: words, emotions, ideas, brightness."
)
CHANCE = (
    "`random`: the mean of 10 trials (IoU) or 30 (CLIP-score) of 5 explore pictures by chance, "
    "with the 99 % interval of the trials, as the paper has it."
)
OWN_WORLD = (
    "The toybox is a drawn world with small models and a CLIP of its own: what is measured is what "
    "the paper measures, but how high its numbers are says nothing about the paper's."
)


class Printed(NamedTuple):
    """What the paper has in the same place."""

    value: Given | None = None
    random: Given | None = None


def printed(found: published.Scores | Model | None, which: Which) -> Printed:
    """The paper's own of one measure, where it has any."""
    if found is None:
        return Printed()
    if which == "iou":
        return Printed(found.iou, found.iou_random)
    return Printed(found.clip, found.clip_random)


def scores_of(survey: Survey) -> Scores:
    """All scores by mode."""
    return {mode: measured.scored for mode, measured in survey.modes.items()}


def of_concept(scores: Scores, concept: str) -> Scores:
    """Those of one concept."""
    return {mode: [one for one in some if one.concept == concept] for mode, some in scores.items()}


def row(name: str, which: Which, scores: Scores, printed: Printed, seed: int) -> Row:
    """Both modes beside what the paper prints."""
    span = SHARE if which != "clip" else _span(scores)
    own = {mode: [one.values[which] for one in scores[mode] if which in one.values]
           for mode in scores}  # fmt: skip
    nulls = {mode: [one.nulls[which] for one in scores[mode] if which in one.nulls]
             for mode in scores}  # fmt: skip
    trials = [one.trials[which] for one in scores["paper"] if which in one.trials]
    cells: dict[str, Cell] = {
        N_PAPER: len(own["paper"]),
        PAPER: over(own["paper"], span, seed),
        PAPER_NULL: over(nulls["paper"], span, seed),
        RANDOM: by_chance(trials),
        PRINTED: printed.value,
        PRINTED_RANDOM: printed.random,
        N_STRICT: len(own["strict"]),
        STRICT: over(own["strict"], span, seed),
        STRICT_NULL[which]: over(nulls["strict"], span, seed),
    }
    return Row(name=name, cells=cells)


def table(which: Which, rows: Iterable[Row]) -> Table:
    """One measure, drawn with what it has to beat."""
    strict_null = STRICT_NULL[which]
    return Table(
        title=TITLES[which],
        columns=(
            N_PAPER, PAPER, RANDOM, PRINTED, PRINTED_RANDOM, N_STRICT, STRICT, strict_null
        ),
        rows=tuple(rows),
        series=(
            Series(column=PAPER, name=PAPER),
            Series(column=PRINTED, name=PRINTED, hollow=True),
            Series(column=RANDOM, name="random pictures", kind="null"),
            Series(column=PRINTED_RANDOM, name=PRINTED_RANDOM, kind="null", hollow=True),
            Series(column=STRICT, name="strict mode, held out", kind="strict"),
            Series(column=strict_null, name="its null", kind="strict null"),
        ),
        digits=DIGITS[which],
    )  # fmt: skip


def notes(survey: Survey, null: str = CHANCE) -> list[str]:
    """How to read the tables of a survey, and what they rest on."""
    return [*reading(survey, null), *counted(survey)]


def reading(survey: Survey, null: str = CHANCE) -> list[str]:
    """What the columns mean."""
    return [LEGEND, null, *([OWN_WORLD] if survey.target.startswith(SHIPPED) else [])]


def counted(survey: Survey) -> list[str]:
    """What was drawn, what was left out, and what failed."""
    losses = (_losses(mode, measured) for mode, measured in survey.modes.items())
    return [survey.drawn.told, *losses, *_paired(scores_of(survey))]


def _paired(scores: Scores) -> Iterator[str]:
    """Each mode has labels for other features, so the tables' rows are not of the same ones."""
    for which, title in TITLES.items():
        paper, strict = (
            {one.feature: one.values[which] for one in some if which in one.values}
            for some in (scores["paper"], scores["strict"])
        )
        if both := sorted(paper.keys() & strict.keys()):
            means = (fmean(mode[one] for one in both) for mode in (paper, strict))
            told = " and ".join(f"{mean:.{DIGITS[which]}f}" for mean in means)
            count = f"{len(both)} features that have one in both modes"
            yield f"{title} of the {count}, paper and strict: {told}."


def _losses(mode: Mode, measured: Measured) -> str:
    nameless = sum(one.label is None and one.failure is None for one in measured.told)
    failed = Counter(one.failure for one in measured.told if one.failure is not None)
    few = sum(one.few for one in measured.scored)
    reasons = Counter(
        f"{which}: {reason}" for one in measured.scored for which, reason in one.failures.items()
    )
    parts = [f"{len(measured.scored)} labels", f"{nameless} features with nothing to describe"]
    if mode == "strict":
        parts.append(f"{few} labels left out, since too few held-out pictures make them fire")
    parts.append(f"{failed.total()} labels and {reasons.total()} scores failed")
    why = "; ".join(f"{count} x {reason}" for reason, count in (failed + reasons).most_common(3))
    return f"Mode {mode}: {', '.join(parts)}{f' ({why})' if why else ''}."


def _span(scores: Scores) -> Span:
    """CLIP-scores fill a small part of 0 to 100."""
    every = [
        values["clip"]
        for some in scores.values()
        for one in some
        for values in (one.values, one.nulls)
        if "clip" in values
    ]
    return span_of(every) if every else SHARE
