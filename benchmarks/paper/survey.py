"""Labels some features of a profile and scores the labels, in both modes, feature by feature.

Knows the order of things and what is kept; nothing of tables. What was measured before is found
again, so that a command that was killed goes on where it was; what other code measured is not.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from rich.console import Console
from rich.progress import Progress

from benchmarks.paper.chance import Pool
from benchmarks.paper.drawing import Drawn, draw
from benchmarks.paper.kept import Kept
from benchmarks.paper.labelling import Told, labelled
from benchmarks.paper.modes import Setup, Setups, opened
from benchmarks.paper.scoring import Asked, Scored, scored
from benchmarks.paper.sources import code
from sae_core.scoring.overlap import Mode
from tools.asking import prompt
from tools.lab import Lab
from tools.measures import Which

WORKERS = 4
"""Features that are asked about at the same time."""
PROMPTS = ("explain", "refine", "categorise", "judge", "repair")
SETTINGS = {"models", "data", "servers", "precision", "bits"}
T = TypeVar("T")
R = TypeVar("R")


class Measured(NamedTuple):
    """One mode: each feature's label, and the scores of those that have one."""

    told: tuple[Told, ...]
    scored: tuple[Scored, ...]


class Survey(NamedTuple):
    """Everything that was measured."""

    drawn: Drawn
    modes: dict[Mode, Measured]
    target: str
    """The model that is looked into."""
    placeless: bool
    """Its positions have no place in the picture, so there is no IoU."""


async def surveyed(setups: Setups, count: int, which: Sequence[Which], seed: int) -> Survey:
    """Draw features, and measure them in each mode."""
    found: dict[Mode, Measured] = {}
    drawn, target, rowed = None, "", False
    for mode, setup in setups.items():
        async with opened(setup, seed) as lab:
            if drawn is None:
                index = await asyncio.to_thread(lab.index, "explore")
                drawn = draw(index, count, seed)
                target, rowed = setup.settings.models.target, placeless(index.spec.grid)
            kept = Kept(lab.runs / "paper" / "kept" / code()[:16], _about(lab, setup, seed))
            taken = tuple(one for one in which if not (rowed and one == "iou"))
            found[mode] = await _measured(lab, kept, mode, drawn.features, taken)
    assert drawn is not None
    return Survey(drawn, found, target, rowed)


def placeless(grid: tuple[int, int]) -> bool:
    """Whether a target's positions have no place in a picture: they are queries, in a row."""
    return grid[0] == 1


async def _measured(
    lab: Lab, kept: Kept, mode: Mode, features: Sequence[int], which: tuple[Which, ...]
) -> Measured:
    async def label(feature: int) -> Told:
        return await kept.once(
            Told, {"feature": feature}, lambda: labelled(lab, feature), lambda one: not one.again
        )

    told = await _each(f"labels, {mode} mode", label, features)
    with_label = [one for one in told if one.label is not None]
    others = tuple(sorted({one.label for one in with_label if one.label is not None}))
    pool = None
    if mode == "paper":
        pool = await asyncio.to_thread(Pool, lab, features)
    asked = Asked(mode, which, others, pool)
    name = hashlib.sha256("\n".join(others).encode()).hexdigest()[:16]
    words = {"mode": mode, "which": which, "others": name if _compared(asked) else ""}

    async def score(one: Told) -> Scored:
        about = {"feature": one.feature, "label": one.label, **words}
        return await kept.once(
            Scored, about, lambda: scored(lab, one, asked), lambda found: not found.again
        )

    return Measured(tuple(told), tuple(await _each(f"scores, {mode} mode", score, with_label)))


def _compared(asked: Asked) -> bool:
    """Whether the score depends on which other labels there are."""
    return asked.mode == "strict" or "consistency" in asked.which


async def _each(name: str, work: Callable[[T], Awaitable[R]], things: Sequence[T]) -> list[R]:
    """A few at a time, in order, with a line that says how far it is."""
    few = asyncio.Semaphore(WORKERS)
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(name, total=len(things))

        async def one(thing: T) -> R:
            async with few:
                found = await work(thing)
            progress.advance(bar)
            return found

        return list(await asyncio.gather(*map(one, things)))


def _about(lab: Lab, setup: Setup, seed: int) -> Mapping[str, object]:
    """Everything that a feature's label and scores depend on, but for the code."""
    settings = setup.settings
    return {
        "coder": lab.observer.digest,
        "hook": lab.observer.hook,
        "settings": settings.model_dump(mode="json", include=SETTINGS),
        "pictures": {split: lab.pictures(split).digest for split in ("explore", "validate")},
        "prompts": {name: prompt(name).content_hash for name in PROMPTS},
        "seed": seed,
    }
