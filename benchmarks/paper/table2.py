"""Table 2: how often a judge agrees that a label fits what lights up, by what the label names.

    python -m benchmarks.paper.table2 [--features 160] [--profile P] [--runs DIR]

The judge sees one masked picture and one label at a time, in mode paper on the pictures that the
label was made from, in mode strict on held-out ones; beside it stands how often it agrees with
other features' labels on the same pictures. People's verdicts are those given in `lmmscope review`
on the findings in --runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.one_line import in_one_line
from benchmarks.paper.averaging import over
from benchmarks.paper.bench import command, profile
from benchmarks.paper.commanding import Command, parser_of
from benchmarks.paper.labelling import OTHER
from benchmarks.paper.modes import setups
from benchmarks.paper.people import YES, Verdicts, verdicts
from benchmarks.paper.published import CONCEPTS, MEANT, TABLE_2, TOTAL
from benchmarks.paper.report import Report, Row, Series, Table, publish
from benchmarks.paper.rows import (
    N_PAPER,
    N_STRICT,
    PAPER,
    PAPER_NULL,
    STRICT,
    STRICT_NULL,
    Printed,
    notes,
    of_concept,
    row,
    scores_of,
)  # fmt: skip
from benchmarks.paper.survey import Survey, surveyed
from sae_core.scoring.resampling import SHARE
from tools.measures import Which

FEATURES = 160
WHICH: tuple[Which, ...] = ("consistency",)
JUDGE, PEOPLE = "the paper's judge", "the paper's people"
OURS, N_PEOPLE = "people", "n, people"
NOBODY = "no verdicts here"
OTHERS = "`other labels`: the judge's share of yes to other features' labels on the same pictures."


def report(survey: Survey, said: Sequence[Verdicts], typed: str, seed: int) -> Report:
    """The judge, and people where there are any."""
    names = (*CONCEPTS, OTHER, TOTAL)
    nobody = f"People: {NOBODY}; they are given in lmmscope review --runs DIR."
    people = f"People: the share of verdicts of {YES} or 5 on each label, the mean over labels."
    return Report(
        name="table2",
        title="Table 2: consistency of labels with what lights up",
        command=typed,
        tables=(_table([_row(name, survey, said, seed) for name in names]),),
        notes=(f"The paper: {MEANT[2]}", people if said else nobody, *notes(survey, OTHERS)),
    )


def _row(name: str, survey: Survey, said: Sequence[Verdicts], seed: int) -> Row:
    scores = scores_of(survey)
    some = scores if name == TOTAL else of_concept(scores, name)
    judged = row(name, "consistency", some, Printed(), seed).cells
    printed = TABLE_2.get(name)
    shares = [one.share for one in said if name in (TOTAL, one.concept)]
    return Row(
        name=name,
        cells=judged
        | {
            JUDGE: printed and printed.judge,
            PEOPLE: printed and printed.human,
            OURS: over(shares, SHARE, seed) if said else NOBODY,
            N_PEOPLE: len(shares),
        },
    )


def _table(rows: Sequence[Row]) -> Table:
    strict_null = STRICT_NULL["consistency"]
    return Table(
        title="Share of yes",
        columns=(
            N_PAPER, PAPER, PAPER_NULL, JUDGE, N_STRICT, STRICT, strict_null, N_PEOPLE, OURS, PEOPLE
        ),
        rows=tuple(rows),
        series=(
            Series(column=PAPER, name="judge, paper mode"),
            Series(column=JUDGE, name=JUDGE, hollow=True),
            Series(column=PAPER_NULL, name=PAPER_NULL, kind="null"),
            Series(column=STRICT, name="judge, strict mode, held out", kind="strict"),
            Series(column=strict_null, name=strict_null, kind="strict null"),
            Series(column=OURS, name="people", kind="people"),
            Series(column=PEOPLE, name=PEOPLE, kind="people", hollow=True),
        ),
    )  # fmt: skip


def main() -> None:
    """Measure one profile, and read the verdicts beside it."""
    parser = parser_of(Command("table2", __doc__, FEATURES, WHICH))
    given = parser.parse_args()
    with in_one_line():
        settings = profile(given)
        survey = asyncio.run(surveyed(setups(settings), given.features, WHICH, given.seed))
        said = verdicts(settings.runs)
        found = report(survey, said, command("table2", given, parser), given.seed)
        publish(found, given.out, as_json=given.json)


if __name__ == "__main__":
    main()
