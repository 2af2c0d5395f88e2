"""`lmmscope steer`: apply a recipe to the target, and show its answer with and without it.

It knows where recipes and pictures come from; how features are written is the tool steer's.
"""

from __future__ import annotations

import asyncio
import re
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

_ARTEFACT = re.compile(r"[0-9a-f]{8,64}")


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
    from lmmscope.ask_command import ready
    from lmmscope.laboratory import lab
    from tools.backends.budget import Budget
    from tools.backends.ledger import MemoryLedger

    settings = ready(profile, runs)
    made = lab(settings, MemoryLedger(), Budget(), sae=sae)
    own = _picture(settings, picture, seed, fit=fit)
    shown = own or _asked_about(made, question)
    said = asyncio.run(_steered(made, _recipe(made, recipe), shown, question, tokens))
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
    from lmmscope.wiring import SHIPPED

    if path is not None and seed is not None:
        raise UserError(f"Both --seed {seed} and --picture {path}: give one picture.")
    toybox = settings.models.target.startswith(SHIPPED)
    if seed is not None:
        if not toybox:
            raise UserError(
                f"--seed draws a toybox picture, which means nothing to {settings.models.target}. "
                "Try --picture FILE"
            )
        from toybox.world_draw import draw_scene
        from toybox.world_splits import fresh_scene

        return draw_scene(fresh_scene(seed)).image()
    if path is None:
        return None
    if toybox:
        from toybox.pictures import open_picture

        return open_picture(path, fit=fit)
    from sae_core.training.conversations import read_picture

    return read_picture(path)


def _asked_about(lab: Lab, question: str) -> Image.Image:
    """The picture of the first development question with the same words."""
    questions = lab.questions("validate")
    for number in range(len(questions)):
        if questions.asked(number).question == question:
            return questions.picture(number)
    raise UserError(
        f"None of the profile's {len(questions)} questions is {question!r}: say which picture is "
        "meant. Try --picture FILE or --seed NUMBER"
    )


def _recipe(lab: Lab, given: str) -> str:
    """The recipe's id; a file is put among the artefacts."""
    if not Path(given).exists() and _ARTEFACT.fullmatch(given):
        found = sorted((lab.artefacts.folder / given[:2]).glob(f"{given}*"))
        if len(found) == 1:
            return found[0].name
        raise UserError(
            f"{len(found)} artefacts in {lab.artefacts.folder} begin with {given}: give a recipe's "
            "file, or more of its id. Try --runs, if it is elsewhere"
        )
    from tools.recipe import load_recipe

    return lab.artefacts.put_document(load_recipe(Path(given)))


async def _steered(
    lab: Lab, recipe: str, picture: Image.Image, question: str, tokens: int
) -> SteerResult:
    from tools.failures import ToolFailure
    from tools.steer import steer as tool

    arguments = tool.parse(
        {
            "recipe": recipe,
            "picture": {"artefact": lab.artefacts.put_picture(picture)},
            "prompt": question,
            "tokens": tokens,
            "controls": [],
        }
    )
    try:
        return await tool.call(lab, arguments)
    except ToolFailure as failure:
        raise UserError(failure.reason) from None
    finally:
        await lab.close()
