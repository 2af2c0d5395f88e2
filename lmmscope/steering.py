"""Steering by hand: which picture and which recipe are meant, and what the model says then.

Knows where recipes and pictures come from; how features are written is the tool steer's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sae_core.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

    from lmmscope.settings import Settings
    from tools.lab import Lab
    from tools.steer import SteerResult

_ARTEFACT = re.compile(r"[0-9a-f]{8,64}")


def drawn(settings: Settings, seed: int) -> Image.Image:
    """The toybox picture of a seed."""
    from lmmscope.wiring import SHIPPED

    if not settings.models.target.startswith(SHIPPED):
        raise UserError(
            f"--seed draws a toybox picture, which means nothing to {settings.models.target}. "
            "Try --picture FILE"
        )
    from toybox.world_draw import draw_scene
    from toybox.world_splits import fresh_scene

    return draw_scene(fresh_scene(seed)).image()


def opened(settings: Settings, path: Path, *, fit: bool) -> Image.Image:
    """The picture in a file, as the target takes it."""
    from lmmscope.wiring import SHIPPED

    if settings.models.target.startswith(SHIPPED):
        from toybox.pictures import open_picture

        return open_picture(path, fit=fit)
    from sae_core.training.conversations import read_picture

    return read_picture(path)


def asked_about(lab: Lab, question: str) -> Image.Image:
    """The picture of the first development question with the same words."""
    questions = lab.questions("validate")
    for number in range(len(questions)):
        if questions.asked(number).question == question:
            return questions.picture(number)
    raise UserError(
        f"None of the profile's {len(questions)} questions is {question!r}: say which picture is "
        "meant. Try --picture FILE or --seed NUMBER"
    )


def shown(
    settings: Settings, lab: Lab, question: str, given: Image.Image | str | Path | int | None
) -> Image.Image:
    """The picture that is meant: itself, a file, an explore picture, or the one asked about."""
    match given:
        case None:
            return asked_about(lab, question)
        case int():
            return lab.picture("explore", given)
        case str() | Path():
            return opened(settings, Path(given), fit=True)
    from lmmscope.wiring import SHIPPED

    if not settings.models.target.startswith(SHIPPED):
        return given
    from toybox.pictures import checked_picture

    return checked_picture(given, "that was given", fit=True)


def recipe_id(lab: Lab, given: str | Path) -> str:
    """The recipe's id; a file is put among the artefacts."""
    if not Path(given).exists() and _ARTEFACT.fullmatch(str(given)):
        found = lab.artefacts.beginning(str(given))
        if len(found) == 1:
            return found[0]
        raise UserError(
            f"{len(found)} artefacts in {lab.artefacts.folder} begin with {given}: give a recipe's "
            "file, or more of its id. Try --runs, if it is elsewhere"
        )
    from tools.recipe import load_recipe

    return lab.artefacts.put_document(load_recipe(Path(given)))


async def steered(lab: Lab, question: str, picture: Image.Image, **more: Any) -> SteerResult:
    """What the model says of a picture with a recipe or with features, and without."""
    from tools.steer import steer

    shown = {"artefact": lab.artefacts.put_picture(picture)}
    return await steer.call(lab, steer.parse({"picture": shown, "prompt": question} | more))
