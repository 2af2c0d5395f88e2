"""A feature index counted by a crew: each worker a span of pictures, merged and kept here.

Knows spans and folders; what is counted, workers know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress

from lmmscope import wiring
from lmmscope.laboratory import kept_at
from lmmscope.ray_cluster import joined
from lmmscope.ray_crew import Crew, crew
from lmmscope.ray_worker import Counted, Explored
from lmmscope.settings import Settings
from sae_core.errors import UserError
from sae_core.index.build import SHARD, finish, refuse_finished
from sae_core.index.gathering import Gathering
from sae_core.index.levels import FILE, write_levels
from sae_core.index.lit import Noted
from sae_core.index.spec import IndexSpec
from tools.evidence import Split
from tools.failures import Failure

TURNS = 8
"""So many spans a worker gets, where there are few pictures: then all end at about the same time,
and little is lost with one that dies."""


class Wanted(NamedTuple):
    """An index that somebody asks for."""

    settings: Settings
    planted_seed: int | None
    sae: str | None
    sizes: Mapping[str, int]
    out: Path | None
    """None: where runs look for it."""
    part: Callable[[int], range] | None
    """Which of so many pictures; None is all of them, and then the index is finished."""


class Made(NamedTuple):
    """What was written."""

    out: Path
    features: int
    pictures: int


def build_now(wanted: Wanted, address: str, actors: int | None) -> Made:
    """Build an index on a cluster, and wait for it."""
    return asyncio.run(build(wanted, address, actors))


async def build(wanted: Wanted, address: str, actors: int | None) -> Made:
    """The same, awaited."""
    settings = wanted.settings
    given = (settings, wanted.planted_seed, wanted.sae)
    async with joined(address), crew(given, actors) as workers:
        found: Explored = await workers.do("explore", wanted.sizes)
        out = wanted.out or kept_at(settings, found.spec, "explore")
        refuse_finished(out)
        if found.levels is not None:
            write_levels(found.levels, out / FILE)
            workers.first("keep", found.files)
        workers.first("agree", found.spec)
        size = found.spec.size
        span = range(size) if wanted.part is None else wanted.part(size)
        noted = await gathered(workers, out, "explore", found.spec, span, settings.batch)
        if wanted.part is None:
            await asyncio.to_thread(_finish, out, found.spec, noted)
    return Made(out, found.spec.features, len(span))


async def index_for(workers: Crew, settings: Settings, split: Split, spec: IndexSpec) -> Path:
    """The index of a split where runs look for it, built if it is not there yet."""
    out = kept_at(settings, spec, split)
    if not (out / "index.json").exists():
        noted = await gathered(workers, out, split, spec, range(spec.size), settings.batch)
        await asyncio.to_thread(_finish, out, spec, noted)
    return out


async def gathered(
    workers: Crew, out: Path, split: Split, spec: IndexSpec, span: range, batch: int
) -> Noted:
    """Have all pictures of a span counted that are not yet; parts are kept in the folder."""
    parts, noted = await asyncio.to_thread(Gathering, out, spec, span), Noted()
    pieces = parts.missing(min(SHARD, len(span) // (TURNS * workers.size) + 1), batch)
    # One more for each than it works on; more would wait here in memory.
    gate, keeping = asyncio.Semaphore(2 * workers.size), asyncio.Lock()
    with Progress(console=Console(stderr=True)) as progress:
        left = sum(map(len, pieces))
        task = progress.add_task("pictures", total=len(span), completed=len(span) - left)

        async def one(piece: range) -> None:
            async with gate:
                what = f"pictures {piece.start} to {piece.stop - 1}"
                try:
                    counted: Counted = await workers.do("count", split, spec, piece, what=what)
                except Failure as failure:
                    raise UserError(failure.reason) from None
                async with keeping:
                    await asyncio.to_thread(parts.add, counted.part)
                    noted.add(counted.lit)
                progress.advance(task, len(piece))

        try:
            async with asyncio.TaskGroup() as group:
                for piece in pieces:
                    group.create_task(one(piece))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None  # one is enough to say
    return noted


def _finish(out: Path, spec: IndexSpec, noted: Noted) -> None:
    whole = Gathering(out, spec, range(spec.size)).whole()
    finish(out, [whole], wiring.device())
    noted.write(out, spec.size)
