"""`lmmscope steer`: write a recipe or a feature into the target, and show what it says then.

It knows options and prints; what is meant by them is `lmmscope.steering`'s.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lmmscope.limits import Runs
from lmmscope.options import AsJson, Profile
from sae_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from lmmscope.settings import Settings
    from tools.lab import Lab
    from tools.steer import SteerResult


def steer(
    question: Annotated[str, typer.Argument(help="What the model is asked about the picture.")],
    recipe: Annotated[
        str | None,
        typer.Option(help="A recipe's file, or the beginning of its id among the artefacts."),
    ] = None,
    feature: Annotated[
        int | None, typer.Option(min=0, help="A feature to set, instead of a recipe.")
    ] = None,
    strength: Annotated[float | None, typer.Option(help="What the feature is set to.")] = None,
    mode: Annotated[
        Literal["strict", "paper"] | None,
        typer.Option(help="How: strict unless said; paper as was published. A recipe has its own."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="A picture of your own.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="The toybox picture of this seed. With neither, the first one that the profile's "
            "questions ask the same about.",
        ),
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Convert a picture of another size or mode.")
    ] = False,
    tokens: Annotated[int, typer.Option(min=1, max=1024, help="The longest reply.")] = 64,
    sae: Annotated[str | None, typer.Option(help="A coder's folder; else the profile's.")] = None,
    as_json: AsJson = False,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Apply a recipe, or set a feature, and show what the model says with and without it."""
    from lmmscope.laboratory import lab
    from lmmscope.steering import asked_about, recipe_id
    from lmmscope.work import ready
    from tools.backends.budget import Budget
    from tools.backends.ledger import MemoryLedger

    by_hand = feature is not None and strength is not None and recipe is None
    if not by_hand and (recipe is None or {feature, strength, mode} != {None}):
        raise UserError("Say what to write: --recipe FILE, or --feature 3 --strength 50")
    settings = ready(profile, runs)
    made = lab(settings, MemoryLedger(), Budget(), sae=sae)
    own = _picture(settings, picture, seed, fit=fit)
    shown = own or asked_about(made, question)
    what: dict[str, Any] = {"features": (feature,), "strengths": (strength,), "mode": mode}
    if recipe is not None:
        what = {"recipe": recipe_id(made, recipe)}
    said = asyncio.run(_steered(made, shown, question, what | {"tokens": tokens}))
    if as_json:
        typer.echo(said.model_dump_json(indent=2))
        return
    (with_it,) = said.steered
    typer.echo(f"question   {question}")
    typer.echo(f"unsteered  {said.unsteered.text}")
    typer.echo(f"steered    {with_it.text}{'' if with_it.differs else '   (the same)'}")
    if recipe is None:
        typer.echo(f"recipe     {with_it.recipe}")


def _picture(
    settings: Settings, path: Path | None, seed: int | None, *, fit: bool
) -> Image.Image | None:
    """The picture that was named, if one was."""
    from lmmscope.steering import drawn, opened

    if path is not None and seed is not None:
        raise UserError(f"Both --seed {seed} and --picture {path}: give one picture.")
    if seed is not None:
        return drawn(settings, seed)
    return None if path is None else opened(settings, path, fit=fit)


async def _steered(
    lab: Lab, picture: Image.Image, question: str, what: dict[str, Any]
) -> SteerResult:
    from lmmscope.steering import steered
    from tools.failures import Failure

    try:
        return await steered(lab, question, picture, controls=(), **what)
    except Failure as failure:
        raise UserError(failure.reason) from None
    finally:
        await lab.close()
