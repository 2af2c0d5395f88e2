"""Evidence documents as pages read them: which pictures, where a feature fires, what was said.

Reads what it shows and no more, so that documents of other versions can be looked at too. Knows
documents; nothing of pages.
"""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import WontWork
from agent.store import Reader

FINEST = 65_535
"""An activation is sent as a share of the peak in two bytes."""
Cells = tuple[tuple[float, ...], ...]
M = TypeVar("M", bound=BaseModel)


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Sighting(_Read):
    """A feature on one picture."""

    picture: int
    """Its number in the split."""
    group: str
    """Why it is here."""
    quantile: int | None = None
    """Which quarter of the activations this is, 0 the weakest."""
    mean: float = 0.0
    peak: float = 0.0
    cells: Cells = ()
    """The activation in each cell; nothing where the feature is silent."""


class Evidence(_Read):
    """What a feature does on some pictures."""

    feature: int
    split: str
    grid: tuple[int, int]
    """Rows and columns of cells."""
    fires_on: int
    """On how many pictures of the split it fires."""
    size: int
    """How many pictures the split has."""
    peak: float
    level: float
    """The activation that half of its lit cells exceed."""
    sightings: tuple[Sighting, ...]


class Marks(_Read):
    """What was measured on one sealed picture; what was not is left open."""

    picture: int
    mask: str | None = None
    """The artefact that shows where the label was found."""
    iou_strict: float | None = None
    verdict: int | None = None
    """1 where the judge agrees, 0 where not."""
    foretold: float | None = None
    """How sure the detector is that the label fits."""
    fires: bool | None = None


class Sheet(_Read):
    """What the sealed scores rest on, picture by picture."""

    label: str
    pictures: tuple[Marks, ...]


def document(store: Reader, name: str, kind: type[M]) -> M | None:
    """A document by its artefact; None if it was cleaned up, or is something else."""
    try:
        return kind.model_validate_json(store.artefacts.get(name))
    except (WontWork, ValidationError):
        return None


def packed(cells: Cells, peak: float) -> str:
    """The cells row by row as shares of the peak, two bytes each, for a page's script."""
    shares = [min(1.0, value / peak) if peak > 0 else 0.0 for row in cells for value in row]
    # However weak, what is lit stays above zero.
    fine = [math.ceil(share * FINEST) for share in shares]
    return b64encode(struct.pack(f"<{len(fine)}H", *fine)).decode()


def outline(cells: Cells, level: float) -> str:
    """An SVG path around all cells from a level on; a cell is a unit wide."""
    return "".join(
        f"M{column} {row}h1v1h-1z"
        for row, values in enumerate(cells)
        for column, value in enumerate(values)
        if value > 0 and value >= level
    )
