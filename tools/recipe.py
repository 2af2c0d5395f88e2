"""A recipe: interventions to be repeated, and the coder, model and hook that they belong to.

Knows its document, as an artefact or a file; how features are written is sae_core's knowledge. It
is applied to those that it was made with, and to no others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sae_core.coders.coder import check_feature
from sae_core.errors import UserError
from sae_core.index.observer import LmmObserver
from sae_core.steering.plan import Intervention, Mode


class Recipe(BaseModel):
    """What to write into which features of which model."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: Literal[1] = 1
    coder: str
    """The digest of the coder whose features these are."""
    model: str
    hook: str
    mode: Mode = "strict"
    interventions: tuple[Intervention, ...] = Field(min_length=1)

    def check(self, seeing: LmmObserver) -> Recipe:
        """The same recipe, if it is for this coder on this model."""
        here = {"coder": seeing.digest, "model": seeing.model, "hook": seeing.hook}
        for name, value in here.items():
            if (wanted := getattr(self, name)) != value:
                raise UserError(
                    f"This recipe is for the {name} {wanted}, and here is {value}: its features "
                    "mean nothing there. Choose the profile that it was made with"
                )
        for one in self.interventions:
            check_feature(seeing.coder, one.feature)
        return self

    def save(self, path: Path) -> None:
        """Write it to a file that `load_recipe` reads."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def recipe_of(
    seeing: LmmObserver, interventions: tuple[Intervention, ...], mode: Mode = "strict"
) -> Recipe:
    """A recipe for this coder on this model."""
    return Recipe(
        coder=seeing.digest,
        model=seeing.model,
        hook=seeing.hook,
        mode=mode,
        interventions=interventions,
    )


def load_recipe(path: Path) -> Recipe:
    """The recipe in a file; whether it fits is `Recipe.check`'s question."""
    try:
        return Recipe.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"The recipe {path} can't be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        raise UserError(f"{path} is no recipe: {place}: {first['msg']}.") from None
