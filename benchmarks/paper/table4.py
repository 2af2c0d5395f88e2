"""Tables 4 and 10: the same pipeline on targets of other architectures.

    python -m benchmarks.paper.table4 [--features 160] [--profile qwen2.5-vl-7b] [--runs DIR]

The toybox has one architecture with weights that see something, LLaVA-NeXT: by default its row
stands beside what the paper prints of the others, and only --profile instructblip-7b or
qwen2.5-vl-7b fills theirs. What is measured of the toybox is what Table 1 measures, and is found
again. A target that sees pictures through queries has no place for an IoU.
"""

from __future__ import annotations

from benchmarks.paper.commanding import Command, run
from benchmarks.paper.published import MEANT, TABLE_10
from benchmarks.paper.report import Report, Table
from benchmarks.paper.rows import Scores, notes, printed, row, scores_of, table
from benchmarks.paper.survey import Survey
from tools.measures import Which

FEATURES = 160
WHICH: tuple[Which, ...] = ("iou", "clip")
NAMES = {"Qwen/Qwen2.5-VL-7B-Instruct": "Qwen2.5-VL",
         "Salesforce/instructblip-vicuna-7b": "InstructBLIP-7B",
         "toybox:target": "the toybox"}  # fmt: skip
"""What a target is called in the paper, and here."""


def report(survey: Survey, typed: str, seed: int) -> Report:
    """The profile's target, and what the paper prints of its own."""
    name = NAMES.get(survey.target, survey.target)
    alone = (
        f"None of the paper's other architectures is {name}: their rows are the paper's alone. "
        "Try --profile qwen2.5-vl-7b or --profile instructblip-7b"
    )
    return Report(
        name="table4",
        title="Tables 4 and 10: other architectures",
        command=typed,
        tables=tuple(_table(which, name, survey, seed) for which in WHICH),
        notes=(
            f"The paper, Table 4: {MEANT[4]}",
            f"The paper, Table 10: {MEANT[10]}",
            *([] if name in TABLE_10 else [alone]),
            *notes(survey),
        ),
    )


def _table(which: Which, name: str, survey: Survey, seed: int) -> Table:
    nothing: Scores = {"paper": [], "strict": []}
    scores = {name: scores_of(survey)}
    rows = [
        row(one, which, scores.get(one, nothing), printed(TABLE_10.get(one), which), seed)
        for one in dict.fromkeys((name, *TABLE_10))
    ]
    return table(which, rows)


def main() -> None:
    """Measure one profile."""
    run(Command("table4", __doc__, FEATURES, WHICH), report)


if __name__ == "__main__":
    main()
