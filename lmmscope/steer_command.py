"""`lmmscope steer`: apply a recipe to the target, and show its answer with and without it.

It knows options and prints; what is meant by them is `lmmscope.steering`'s.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
        str, typer.Option(help="A recipe's file, or the beginning of its id among the artefacts.")
    ],
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
    """Apply a recipe, and show what the model says with and without it."""
    from lmmscope.laboratory import lab
    from lmmscope.steering import asked_about, recipe_id
    from lmmscope.work import ready
    from tools.backends.budget import Budget
    from tools.backends.ledger import MemoryLedger

    settings = ready(profile, runs)
    made = lab(settings, MemoryLedger(), Budget(), sae=sae)
    own = _picture(settings, picture, seed, fit=fit)
    shown = own or asked_about(made, question)
    said = asyncio.run(_steered(made, recipe_id(made, recipe), shown, question, tokens))
    if as_json:
        typer.echo(said.model_dump_json(indent=2))
        return
    (with_it,) = said.steered
    typer.echo(f"question   {question}")
    typer.echo(f"unsteered  {said.unsteered.text}")
    typer.echo(f"steered    {with_it.text}{'' if with_it.differs else '   (the same)'}")


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
    lab: Lab, recipe: str, picture: Image.Image, question: str, tokens: int
) -> SteerResult:
    from lmmscope.steering import steered
    from tools.failures import ToolFailure

    try:
        return await steered(lab, question, picture, recipe=recipe, tokens=tokens, controls=())
    except ToolFailure as failure:
        raise UserError(failure.reason) from None
    finally:
        await lab.close()
