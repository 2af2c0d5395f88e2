"""What the benchmarks share: options, asking with and without a recipe, and the report.

Knows profiles, recipes and the order of things; nothing of what a `Task` measures.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.hallucination.asking import Asker
from benchmarks.hallucination.kept import Kept
from benchmarks.hallucination.shares import Group, paired
from benchmarks.hallucination.task import Task
from benchmarks.paper import bench as paper
from benchmarks.paper.bench import Bench
from benchmarks.paper.plotting import Kind
from benchmarks.paper.report import Report, Row, Series, Table, publish
from lmmscope import hub, wiring
from lmmscope.settings import Settings
from lmmscope.steering import recipe_id
from sae_core.errors import UserError
from sae_core.weights import named_by_content
from tools.lab import Lab
from tools.recipe import Recipe

DOCUMENTS = Path("runs/hallucination")
"""Where reports go, if nothing else is said."""
DIGITS = 3
AS_IT_IS, WITH = "as it is", "with the recipe"
TOYBOX = (
    "Pictures, questions and truth are the toybox renderer's, drawn anew from the seed: none of "
    "them was trained on, explored, validated or tested on."
)

INTERVALS = (
    "In brackets: 95 % intervals that resample whole pictures with all their answers (sets of "
    "pictures, where some were made of others)."
)
PAIRED = (
    "McNemar's exact test takes all answers for independent, as is usual; by picture: signs of "
    "the differences of whole pictures flipped, which reckons with many answers about one."
)


class Place(NamedTuple):
    """Where a benchmark's data come from, and how many of them are wanted."""

    folder: Path | None
    """None for the toybox."""
    questions: int | None
    seed: int


def options(does: str | None, questions: str) -> argparse.ArgumentParser:
    """The options of all benchmarks."""
    parser = paper.options((does or "").splitlines()[0])
    parser.set_defaults(out=DOCUMENTS)
    parser.add_argument("--data", help="a local copy, or hub:NAME; else the toybox's equivalent")
    parser.add_argument("--recipe", help="a recipe's file or artefact: measure with it as well")
    parser.add_argument("--questions", type=_count, help=questions)
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of questions: give 1 or more")
    return int(text)


def run(name: str, parser: argparse.ArgumentParser, make: Callable[[Place], Task]) -> None:
    """Ask, measure and publish."""
    given = parser.parse_args()

    async def work(bench: Bench) -> None:
        folder = None if given.data is None else hub.data_path(given.data)
        if folder is not None and not folder.exists():
            raise UserError(f"There is nothing at {folder}. Give --data the folder of a local copy")
        # Whether the recipe fits, before anything long begins; and the coder brings the target.
        recipe = None if given.recipe is None else _fitting(bench.lab, given.recipe)
        task = make(Place(folder, given.questions, given.seed))
        kept = None if folder is None else bench.settings.runs / "hallucination" / f"{name}.jsonl"
        said = await asyncio.to_thread(asked, bench, task, recipe, kept)
        typed = paper.command(name, given, parser, "hallucination")
        publish(report(name, typed, task, said, given.seed), given.out, as_json=given.json)

    paper.measured(given, work)


def _fitting(lab: Lab, given: str) -> Recipe:
    """The recipe, if it is for this coder on this target."""
    return lab.artefacts.document(recipe_id(lab, given), Recipe).check(lab.seeing)


def asked(
    bench: Bench, task: Task, recipe: Recipe | None, kept: Path | None
) -> dict[str, list[str]]:
    """The replies, as the target is and with the recipe."""
    began = time.monotonic()
    settings = bench.settings
    asker = Asker(
        bench.lab, _identity(settings), batch=settings.batch, kept=Kept(kept), say=bench.say
    )
    said = {AS_IT_IS: asker.replies(task.asked, task.tokens)}
    if recipe is not None:
        said[WITH] = asker.replies(task.asked, task.tokens, recipe)
    ways = len(said) * len(task.asked)
    bench.say(f"{ways} replies in {time.monotonic() - began:.0f} s")
    return said


def _identity(settings: Settings) -> str:
    """The target by its weights, and how it computes: what was said by another is not kept."""
    name = named_by_content(wiring.model_folder(settings.models.target))
    return f"{name} {settings.precision} {settings.bits}"


def report(
    name: str, typed: str, task: Task, said: Mapping[str, Sequence[str]], seed: int
) -> Report:
    """A table for each group, and one of what the recipe changed."""
    groups = {way: task.groups(texts, seed) for way, texts in said.items()}
    tables = [
        _table([each[at] for each in groups.values()], list(said))
        for at in range(len(groups[AS_IT_IS]))
    ]
    if WITH in said:
        tables.append(_changes(task, said, seed))
    remarks = (f"{way}: {one}" for way, texts in said.items() for one in task.remarks(texts))
    notes = (*task.notes, *remarks, INTERVALS, *((PAIRED,) if WITH in said else ()))
    return Report(name=name, title=task.title, command=typed, tables=tuple(tables), notes=notes)


def _table(groups: Sequence[Group], ways: Sequence[str]) -> Table:
    """Measures below each other, with and without the recipe side by side."""
    rows = tuple(
        Row(
            name=measure,
            cells={way: one.cells[measure] for way, one in zip(ways, groups, strict=True)},
        )
        for measure in groups[0].cells
    )
    kinds: dict[str, Kind] = {AS_IT_IS: "ours", WITH: "strict"}
    series = tuple(Series(column=way, name=way, kind=kinds[way]) for way in ways)
    return Table(title=groups[0].name, columns=tuple(ways), rows=rows, series=series, digits=DIGITS)


def _changes(task: Task, said: Mapping[str, Sequence[str]], seed: int) -> Table:
    """Better, same and worse answers, all together and apart."""
    before_N, after_N = (task.right_N(said[way]) for way in (AS_IT_IS, WITH))
    rows = []
    for part in task.parts():
        among_N = part.among_N
        one = paired(before_N[among_N], after_N[among_N], task.cluster_N[among_N], seed)
        rows.append(
            Row(
                name=part.name,
                cells={
                    "better": one.better,
                    "same": one.same,
                    "worse": one.worse,
                    "p (McNemar)": f"{one.p:.2g}",
                    "more right": one.change,
                    "p (by picture)": f"{one.change.p:.2g}",
                },
            )
        )
    return Table(
        title=f"What the recipe changed: {task.counted}",
        columns=tuple(rows[0].cells),
        rows=tuple(rows),
        digits=DIGITS,
    )
