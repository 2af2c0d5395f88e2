"""Table 1: IoU and CLIP-score of labels by the class of what they name, beside chance.

    python -m benchmarks.paper.table1 [--features 160] [--profile P] [--runs DIR]

Features are drawn by chance, and each is explained with one question, in both modes. Mode paper
scores a label on the five pictures that it was made from, and on random ones as the paper does;
mode strict on held-out pictures, beside what other features' labels score there.
"""

from __future__ import annotations

from benchmarks.paper.commanding import Command, run
from benchmarks.paper.labelling import OTHER
from benchmarks.paper.published import CONCEPTS, MEANT, TABLE_1, TOTAL
from benchmarks.paper.report import Report, Table
from benchmarks.paper.rows import Scores, notes, of_concept, printed, row, scores_of, table
from benchmarks.paper.survey import Survey
from tools.measures import Which

FEATURES = 160
WHICH: tuple[Which, ...] = ("iou", "clip")


def report(survey: Survey, typed: str, seed: int) -> Report:
    """All concepts, what is none of them, and the total."""
    scores = scores_of(survey)
    taken = WHICH[1:] if survey.placeless else WHICH
    return Report(
        name="table1",
        title="Table 1: IoU and CLIP-score by concept",
        command=typed,
        tables=tuple(_table(which, scores, seed) for which in taken),
        notes=(f"The paper: {MEANT[1]}", *notes(survey)),
    )


def _table(which: Which, scores: Scores, seed: int) -> Table:
    rows = [
        row(concept, which, of_concept(scores, concept), printed(TABLE_1.get(concept), which), seed)
        for concept in (*CONCEPTS, OTHER)
    ]
    return table(
        which, [*rows, row(TOTAL, which, scores, printed(TABLE_1.get(TOTAL), which), seed)]
    )


def main() -> None:
    """Measure one profile."""
    run(Command("table1", __doc__, FEATURES, WHICH), report)


if __name__ == "__main__":
    main()
