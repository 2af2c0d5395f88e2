"""Which picture a tool is to look at: one of a split by its number, or an artefact.

Knows ids; nothing of what is looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.artefacts import ArtefactId
from tools.evidence import Split

if TYPE_CHECKING:  # plans name pictures, and a lab brings torch along
    from tools.lab import Lab


class PictureId(BaseModel):
    """A picture's number in a split, or the id of a picture that a tool has made."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    split: Split = "explore"
    """Where the number counts."""
    number: int | None = Field(default=None, ge=0)
    """Its number in the split."""
    artefact: ArtefactId | None = None
    """Its id, instead of a number."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.number is None) == (self.artefact is None):
            raise ValueError("give either a number or an artefact")
        return self

    def __str__(self) -> str:
        return f"{self.split} {self.number}" if self.artefact is None else self.artefact

    def picture(self, lab: Lab) -> Image.Image:
        """The picture itself."""
        if self.artefact is not None:
            return lab.artefacts.picture(self.artefact)
        assert self.number is not None
        return lab.picture(self.split, self.number)
