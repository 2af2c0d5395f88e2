"""Table 11: how many answers get better and how many worse with one feature written in.

    python -m benchmarks.paper.table11 [--features 1] [--questions 100] [--recipe FILE]
                                       [--strength 50] [--profile P] [--runs DIR] [--out DIR]

The paper clamps an irrelevant feature at a high value and counts, over 100 questions. Here the
same is done with irrelevant features (--features of them) or a recipe's, and with the best
candidate by attribution; each as was published (mode paper) and with the coder's error kept (mode
strict), beside controls. The candidate and its strength come from other questions than those that
are counted. Where there are fewer questions than that, all are, and there is no candidate.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agent.behaviour.counting import change, rights, share
from benchmarks.paper.bench import Bench, command, measured, options, some
from benchmarks.paper.candidates import Candidate, Fault, candidate, fault
from benchmarks.paper.known import Known, best_of, labelled
from benchmarks.paper.published import MEANT, TABLE_11
from benchmarks.paper.report import Cell, Report, Row, Series, Table, publish
from sae_core.errors import UserError
from sae_core.scoring.significance import mcnemar_p
from sae_core.steering.plan import Intervention
from tools.answers import AnswerSheet, Trial
from tools.failures import ToolFailure, WontWork
from tools.labels import words_of
from tools.recipe import load_recipe

QUESTIONS = 100
STRENGTH = 50.0
COLUMNS = ("better", "same", "worse", "p", "right before", "right after", "n")


class Chosen(NamedTuple):
    """Questions that are counted, and those that a candidate may be found on."""

    counted: tuple[int, ...]
    development: tuple[int, ...]


class Counted(NamedTuple):
    """One way of writing, and which answers were right before and after."""

    name: str
    before: np.ndarray
    after: np.ndarray


class Found(NamedTuple):
    """Everything that was measured."""

    chosen: Chosen
    rows: tuple[Counted, ...]
    kinds: tuple[str, ...]
    """Of the questions, in their order."""
    notes: tuple[str, ...]
    source: str
    """Where the questions come from."""


def chosen(size: int, count: int, seed: int) -> Chosen:
    """Questions by chance; no other is counted, and none of them is looked at before."""
    order = np.random.default_rng((seed, 11)).permutation(size).tolist()
    return Chosen(tuple(sorted(order[:count])), tuple(sorted(order[count:])))


async def irrelevant(bench: Bench, count: int, asked: Sequence[str]) -> list[Known]:
    """Features that mean written words, as the paper's two, and none that is asked about."""
    known = [one for one in best_of(bench) if one.category == "text"]
    known = known or list((await labelled(bench, "text", 4 * count)).known)
    spoken = set().union(*map(words_of, asked))
    named = {one.feature: words_of(one.label) - words_of("the word") for one in known}
    fit = [one for one in known if not named[one.feature] & spoken]
    if not fit:
        raise WontWork(
            f"Each of {len(known)} features that mean written words is asked about: none is "
            "irrelevant. Give a --recipe"
        )
    order = np.random.default_rng((bench.seed, 12)).permutation(len(fit))[:count]
    return [fit[at] for at in order.tolist()]


def clamped(bench: Bench, feature: int, strength: float, name: str) -> list[Trial]:
    """One feature at every position: as published, and at its own largest activation."""
    peak = bench.lab.index("explore").feature(feature).peak
    high, own = (
        (Intervention(feature=feature, kind="clamp", value=value),) for value in (strength, peak)
    )
    return [
        Trial(name=f"{name}, {strength:g}, paper", interventions=high, mode="paper"),
        Trial(name=f"{name}, {peak:.3g}, strict", interventions=own),
    ]


def blamed(found: Candidate, strength: float) -> list[Trial]:
    """The candidate as published, or as calibrated beside its controls."""
    one = found.suspect
    against = strength if one.score < 0 else 0.0
    high = (Intervention(feature=one.feature, kind="clamp", value=against),)
    name, setting = f"candidate {one.feature}", found.setting
    (written,) = setting
    return [
        Trial(name=f"{name}, {against:g}, paper", interventions=high, mode="paper"),
        Trial(name=f"{name}, times {written.value:g}, strict", interventions=setting),
        Trial(name="its wrong sign, strict", interventions=setting, control="wrong_sign"),
        Trial(name="a random feature, strict", interventions=setting, control="random_feature"),
        Trial(name="a random direction, strict", interventions=setting, control="random_direction"),
    ]


async def trials(
    bench: Bench, given: argparse.Namespace, picked: Chosen
) -> tuple[list[Trial], list[str]]:
    """What is written, and what is to be said about it."""
    questions = bench.questions()
    asked = [questions.asked(number).question for number in picked.counted]
    made, notes = [], []
    if given.recipe is not None:
        recipe = load_recipe(given.recipe).check(bench.lab.seeing)
        setting, name = recipe.interventions, f"recipe {given.recipe.stem}"
        made += [
            Trial(name=f"{name}, {mode}", interventions=setting, mode=mode)
            for mode in ("paper", "strict")
        ]
    else:
        for one in await irrelevant(bench, given.features, asked):
            made += clamped(bench, one.feature, given.strength, f"irrelevant {one.feature}")
            notes.append(
                f"Feature {one.feature} means {one.label!r} ({one.source}); no question has it."
            )
    first = made[0].interventions
    made.append(
        Trial(
            name="the reconstruction alone, paper",
            interventions=first,
            control="reconstruction",
            mode="paper",
        )
    )
    searched = await _searched(bench, picked.development)
    if isinstance(searched, str):
        return made, [*notes, f"No candidate: {searched}"]
    wrong, found = searched
    return made + blamed(found, given.strength), [*notes, _about(wrong, found)]


async def _searched(bench: Bench, development: Sequence[int]) -> tuple[Fault, Candidate] | str:
    """A fault and who is to blame for it, or why there is none."""
    if not development:
        return (
            "all questions are counted, and none is left to find one on. Give more of them, or "
            "count fewer with --questions."
        )
    wrong = await fault(bench, development)
    if wrong is None:
        return "the development questions show no repeated fault."
    try:
        found = await candidate(bench, wrong)
    except (ToolFailure, UserError) as failure:  # such as an answer that is no single word
        return str(failure)
    return "attribution blames no feature for the repeated fault." if not found else (wrong, found)


def _about(wrong: Fault, found: Candidate) -> str:
    one = found.suspect
    return (
        f"Feature {one.feature} is the best of the first suspects for {wrong.said!r} where "
        f"{wrong.instead!r} is right: {one.score:+.2f} logits at the {one.part}, AUROC "
        f"{one.separability:.2f} of wrong against right answers. On development questions "
        f"{found.mended} of {found.of} were mended, {found.lost} lost."
    )


async def measure(bench: Bench, given: argparse.Namespace) -> Found:
    """Choose, write, ask and count."""
    questions = bench.questions()
    picked = chosen(len(questions), given.questions, bench.seed)
    made, notes = await trials(bench, given, picked)
    if len(questions) < given.questions:
        notes.append(f"Wanted were {given.questions} questions; there are {len(questions)}.")
    bench.say(f"asking {len(picked.counted)} questions in {len(made) + 1} ways")
    asked = await bench.call("answers", numbers=picked.counted, trials=[Trial(), *made])
    sheets = [bench.lab.artefacts.document(one.sheet, AnswerSheet) for one in asked.trials]
    before = rights(sheets[0], picked.counted)
    rows = tuple(
        Counted(trial.name, before, rights(sheet, picked.counted))
        for trial, sheet in zip(made, sheets[1:], strict=True)
    )
    kinds = await asyncio.to_thread(
        lambda: tuple(questions.asked(number).kind for number in picked.counted)
    )
    return Found(picked, rows, kinds, tuple(notes), bench.settings.data.questions or "")


def report(found: Found, typed: str) -> Report:
    """All rows below the paper's, and the changed kinds of question."""
    printed = {"better": TABLE_11.better, "same": TABLE_11.same, "worse": TABLE_11.worse}
    paper = mcnemar_p(*(round(100 * one.value) for one in (TABLE_11.better, TABLE_11.worse)))
    first = Row(name="the paper", cells={**printed, "p": f"{paper:.2g}", "n": QUESTIONS})
    rows = tuple(Row(name=one.name, cells=cells_of(one)) for one in found.rows)
    return Report(
        name="table11",
        title="Table 11: answers with one feature written in",
        command=typed,
        tables=(
            Table(
                title=f"Share of {len(found.kinds)} answers",
                columns=COLUMNS,
                rows=(first, *rows),
                series=(
                    Series(column="better", name="better"),
                    Series(column="worse", name="worse", kind="strict"),
                ),
            ),
            *_by_kind(found),
        ),
        notes=_notes(found, paper),
    )


def _notes(found: Found, paper: float) -> tuple[str, ...]:
    return (
        *found.notes,
        f"{len(found.kinds)} questions by chance out of the profile's development set "
        f"({found.source}); candidates and strengths come from the other "
        f"{len(found.chosen.development)}. "
        "An answer is right if the reply begins with the right one, word for word.",
        "Each row is compared with the model with nothing written. In mode paper what is "
        "written and the dropped error of the coder change together: the reconstruction alone "
        "shows the one without the other.",
        "p: McNemar's exact test of better against worse. The paper prints none; its 9 against "
        f"2 give {paper:.3f}.",
        f"The paper: {MEANT[11]}",
    )


def cells_of(one: Counted) -> dict[str, Cell]:
    """Shares with their intervals, and what chance makes of them."""
    found = change(one.before, one.after)
    return {
        "better": share(one.after & ~one.before, 0),
        "same": share(one.after == one.before, 0),
        "worse": share(one.before & ~one.after, 0),
        "p": f"{found.p:.2g}",
        "right before": int(one.before.sum()),
        "right after": int(one.after.sum()),
        "n": len(one.before),
    }


def _by_kind(found: Found) -> list[Table]:
    """Which kinds of question got better and worse, of those that changed at all; if any did."""
    kinds = sorted(set(found.kinds))
    rows = []
    for one in found.rows:
        cells: dict[str, Cell] = {}
        for kind in kinds:
            of_kind = np.array([kind == other for other in found.kinds])
            told = change(one.before[of_kind], one.after[of_kind])
            if told.better or told.worse:
                cells[kind] = f"+{told.better} -{told.worse}"
        rows.append(Row(name=one.name, cells=cells))
    changed = [kind for kind in kinds if any(kind in row.cells for row in rows)]
    named = {kind: f"{kind} ({found.kinds.count(kind)})" for kind in changed}
    told_rows = tuple(
        Row(name=row.name, cells={named[kind]: cell for kind, cell in row.cells.items()})
        for row in rows
    )
    title = "Better and worse by kind of question"
    return [Table(title=title, columns=tuple(named.values()), rows=told_rows)] if named else []


def main() -> None:
    """Measure, print and write."""
    parser = options((__doc__ or "").splitlines()[0], 1)
    parser.add_argument("--questions", type=some, default=QUESTIONS)
    parser.add_argument("--recipe", type=Path, help="write this instead of irrelevant features")
    parser.add_argument("--strength", type=float, default=STRENGTH, help="of mode paper")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    async def work(bench: Bench) -> None:
        found = await measure(bench, given)
        publish(report(found, command("table11", given, parser)), given.out, as_json=given.json)

    measured(given, work)


if __name__ == "__main__":
    main()
