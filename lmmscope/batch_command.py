"""`lmmscope batch`: many features, unattended, resumable, within a budget.

Knows options and files of numbers; the agent does the rest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lmmscope.conduct import conduct
from lmmscope.limits import (
    Calls,
    Free,
    Money,
    PlantedSeed,
    Runs,
    Sae,
    Spend,
    Steer,
    Tokens,
    Workers,
)
from lmmscope.options import Actors, Profile, Ray
from lmmscope.work import Choices, labelling, ready
from sae_core.errors import UserError


def batch(
    features: Annotated[
        str | None, typer.Option(help="Which ones: 0-499, or 3,17,118, or both mixed.")
    ] = None,
    active: Annotated[
        int | None, typer.Option(min=1, help="So many that fire on the most pictures.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A file with a number on each line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    calls: Calls = None,
    tokens: Tokens = None,
    money: Money = None,
    workers: Workers = None,
    steer: Steer = True,
    free: Free = False,
    runs: Runs = None,
    planted_seed: PlantedSeed = None,
    sae: Sae = None,
    ray: Ray = None,
    actors: Actors = None,
    profile: Profile = None,
) -> None:
    """Label many features; what is done already is skipped, what fails is listed at the end."""
    wanted = _wanted(features, active, file)
    if ray is not None and workers is not None:
        raise UserError("--workers counts what is done on this machine; with --ray give --actors")
    settings = ready(profile, runs)
    chosen = Choices(
        settings,
        Spend(calls, tokens, money),
        workers,
        steer,
        planted_seed,
        sae,
        as_json,
        free,
        total=active or len(wanted),
        ray=ray,
        actors=actors,
    )
    conduct(chosen, labelling(wanted, active))


def _wanted(features: str | None, active: int | None, file: Path | None) -> tuple[int, ...]:
    given = [one for one in (features, active, file) if one is not None]
    if len(given) != 1:
        raise UserError("Say which features: one of --features 0-499, --active 1000, --file FILE")
    if features is not None:
        return numbers(features.split(","), "--features")
    if file is not None:
        try:
            return numbers(file.read_text(encoding="utf-8").split(), str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The file {file} can't be read: {error}") from None
    return ()


def numbers(parts: list[str], where: str) -> tuple[int, ...]:
    """Feature numbers and ranges; each once, in their order."""
    from agent.plan import MOST

    found: dict[int, None] = {}
    for part in parts:
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise UserError(f"{where}: {part.strip()!r} is no feature number or range like 0-499")
        span = range(int(first), int(last if dash else first) + 1)
        if span.stop - span.start > MOST:
            raise UserError(f"{where}: {part.strip()} is more than a batch of {MOST:,} features")
        found.update(dict.fromkeys(span))
    if not found:
        raise UserError(f"{where} names no feature")
    return tuple(found)
