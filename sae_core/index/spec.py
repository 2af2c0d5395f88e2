"""What a feature index is built from, and how much of it is kept.

Knows names, hashes and sizes; nothing of activations.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sae_core.errors import UserError

FORMAT = 1
"""The layout of an index's files. It changes when older code could not read them."""
SHORT = 5
"""A feature that fires on fewer pictures has too few to judge it by: the paper shows five."""
CELLS = 1 << 15
"""How many cells a grid may have: a cell's number is kept in two bytes."""


class IndexSpec(BaseModel):
    """Two indexes, or parts of one, belong together where all of this is equal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coder: str
    """The hash of the SAE."""
    features: int = Field(gt=0, le=1 << 22)
    """F, how many features it has."""
    model: str
    """The model whose activations it reads."""
    hook: str
    """The layer, for example layers.24."""
    levels: str = ""
    """The hash of the levels from which on features count as firing; empty if all counts."""
    pictures: str
    """The hash of the picture set."""
    size: int = Field(gt=0, lt=1 << 40)
    """How many pictures it has, numbered from 0."""
    grid: tuple[int, int]
    """Rows and columns of the base grid, the same for every picture."""
    top: int = Field(default=16, ge=SHORT)
    """How many of the strongest pictures each feature keeps, by mean and by maximum."""
    sample: int = Field(default=32, gt=0)
    """How many of the pictures on which it fires each feature keeps, drawn by chance."""
    pool: int = Field(default=2048, gt=0)
    """How many pictures are drawn by chance to find negatives and neighbours among."""
    related: int = Field(default=8, gt=0)
    """How many negatives and how many neighbours each feature gets."""
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    """What the drawing depends on."""
    format: int = FORMAT

    @field_validator("grid")
    @classmethod
    def _small_enough(cls, grid: tuple[int, int]) -> tuple[int, int]:
        if not (min(grid) > 0 and grid[0] * grid[1] <= CELLS):
            raise ValueError(f"a grid of {grid[0]} x {grid[1]} cells: it needs 1 to {CELLS}")
        return grid

    @property
    def cells(self) -> int:
        """P, how many cells the base grid has."""
        return self.grid[0] * self.grid[1]


def read_spec(text: str, where: Path) -> IndexSpec:
    """The spec in a file's text, if this code can read its files."""
    fields = json.loads(text)
    if fields.get("format") != FORMAT:
        raise UserError(
            f"{where} has index format {fields.get('format')}, this version reads {FORMAT}. "
            "Try lmmscope index build"
        )
    return IndexSpec(**fields)


def check_same(found: IndexSpec, wanted: IndexSpec, where: Path | str) -> None:
    """Refuse what was built from something else, and name both sides."""
    for name in IndexSpec.model_fields:
        if getattr(found, name) != getattr(wanted, name):
            raise UserError(
                f"{where} was built with {name} {getattr(found, name)}, not "
                f"{getattr(wanted, name)}. Try lmmscope index build into another folder"
            )


def check_serves(found: IndexSpec, where: Path, **wanted: str | None) -> None:
    """Refuse an index of another coder, model, hook or levels; None accepts any."""
    for name, value in wanted.items():
        if value is not None and getattr(found, name) != value:
            what = "SAE" if name == "coder" else name
            raise UserError(
                f"The index {where} was built for {what} {getattr(found, name)}, not for {value}. "
                "Try lmmscope index build"
            )
