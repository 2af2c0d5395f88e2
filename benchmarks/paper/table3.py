"""Table 3: IoU and CLIP-score at three depths of the target.

    python -m benchmarks.paper.table3 [--features 48] [--steps 400] [--sae LAYER=FOLDER]

Each layer needs a coder of its own. On the toybox a small one is trained for each, once, and kept
under --runs; a profile with siblings for the layers (llava-next-8b) has theirs; for another target
--sae names them.
Layers are as deep in the target as 8, 25 and 32 are in the paper's 32.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.one_line import in_one_line
from benchmarks.paper.bench import command, some
from benchmarks.paper.commanding import Command, parser_of
from benchmarks.paper.layers import Layer, Training, folders_of, layers_of
from benchmarks.paper.published import MEANT, TABLE_3
from benchmarks.paper.report import Report, Table, publish
from benchmarks.paper.rows import counted, printed, reading, row, scores_of, table
from benchmarks.paper.survey import Survey, surveyed
from lmmscope.settings import Settings
from lmmscope.work import ready
from tools.measures import Which

FEATURES = 48
WHICH: tuple[Which, ...] = ("iou", "clip")


class Found(NamedTuple):
    """What was measured of a layer."""

    layer: Layer
    survey: Survey


def report(found: Sequence[Found], typed: str, seed: int) -> Report:
    """One row a layer."""
    return Report(
        name="table3",
        title="Table 3: layers",
        command=typed,
        tables=tuple(_table(which, found, seed) for which in WHICH),
        notes=(
            f"The paper: {MEANT[3]}",
            *reading(found[0].survey),
            *(f"{one.layer.name}: {note}" for one in found for note in counted(one.survey)),
        ),
    )


def _table(which: Which, found: Sequence[Found], seed: int) -> Table:
    rows = []
    for layer, survey in found:
        own = printed(TABLE_3[layer.printed], which)
        rows.append(row(layer.name, which, scores_of(survey), own, seed))
    return table(which, rows)


async def measured(
    settings: Settings, count: int, sae: Sequence[str], training: Training, seed: int
) -> list[Found]:
    """All layers, one after the other."""
    layers = await layers_of(settings, folders_of(sae), training, seed)
    return [Found(one, await surveyed(one.setups, count, WHICH, seed)) for one in layers]


def main() -> None:
    """Measure the layers of one profile."""
    usual = Training()
    parser = parser_of(Command("table3", __doc__, FEATURES, WHICH))
    parser.add_argument(
        "--sae", action="append", default=[], metavar="LAYER=FOLDER", help="a layer's coder"
    )
    parser.add_argument("--steps", type=some, default=usual.steps, help="of each training")
    given = parser.parse_args()
    with in_one_line():
        settings = ready(given.profile, given.runs)
        training = usual._replace(steps=given.steps)
        found = asyncio.run(measured(settings, given.features, given.sae, training, given.seed))
        publish(
            report(found, command("table3", given, parser), given.seed), given.out,
            as_json=given.json,
        )  # fmt: skip


if __name__ == "__main__":
    main()
