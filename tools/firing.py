"""How strongly every feature fires at some places: cells of pictures, or tokens of a text.

Knows codes and places; nothing of which features are worth a look.

Shapes: B pictures, P cells, N places, T positions, K slots, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from sae_core.coders.sparse import Code
from sae_core.index.observer import peaks
from sae_core.lmm.adapter import Prompt
from sae_core.lmm.hooks import harvest
from sae_core.masks import placed
from tools.failures import WontWork
from tools.lab import Lab
from tools.observing import seen
from tools.regions import Box


class Strengths(NamedTuple):
    """Each feature at some places."""

    mean_F: Tensor
    """Over all places, zeros included."""
    peak_F: Tensor
    """The strongest place."""
    share_F: Tensor
    """On what share of the places it fires."""

    @property
    def lit_mean_F(self) -> Tensor:
        """The mean over the places where it fires; 0 where there are none."""
        return torch.where(self.share_F > 0, self.mean_F / self.share_F.clamp(min=1e-12), 0)


class Region(NamedTuple):
    """A part of a picture: cells by row and column, or those whose middles lie in a box."""

    cells: tuple[tuple[int, int], ...] = ()
    box: Box | None = None
    """In pixels."""

    def places(self, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """Which cells of a picture of this width and height belong to it, row by row [P]."""
        lit_RC = torch.zeros(grid, dtype=torch.bool)
        if self.box is not None:
            lit_RC[self._in_box(self.box, grid, size)] = True
        for row, column in self.cells:
            if not (0 <= row < grid[0] and 0 <= column < grid[1]):
                raise WontWork(
                    f"There is no cell {row}, {column}: the grid has {grid[0]} rows and "
                    f"{grid[1]} columns, counted from 0"
                )
            lit_RC[row, column] = True
        return lit_RC.flatten() if self.cells or self.box else ~lit_RC.flatten()

    @staticmethod
    def _in_box(box: Box, grid: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice]:
        width, height = size
        if not placed(grid):
            raise WontWork(
                f"The {grid[1]} cells of this model look at all of a picture, not at a box of it. "
                "Ask about the whole picture"
            )
        if not (0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height):
            raise WontWork(
                f"The box {', '.join(map(str, box))} does not lie in a picture of {width} x "
                f"{height}. Give left, top, right and bottom in pixels"
            )
        rows = _middles(box.top, box.bottom, height, grid[0])
        return rows, _middles(box.left, box.right, width, grid[1])


WHOLE = Region()


def _middles(start: int, stop: int, length: int, cells: int) -> slice:
    """The cells whose middles lie between; if there are none, the one around the middle."""
    first = max(0, round(start * cells / length))
    last = min(cells, round(stop * cells / length))
    if first < last:
        return slice(first, last)
    middle = (start + stop) * cells // (2 * length)
    return slice(middle, middle + 1)


@torch.no_grad()
def on_pictures(lab: Lab, pictures: Sequence[Image.Image], region: Region = WHOLE) -> Strengths:
    """What fires in a region of some pictures, each cell counting the same."""
    chosen: list[Code] = []
    for batch in seen(lab.observer, pictures):
        sizes = [pictures[number].size for number in batch.picture_B.tolist()]
        places_BP = torch.stack([region.places(batch.grid, size) for size in sizes])
        places_BP = places_BP.to(batch.code.values_NK.device)
        chosen.append(Code(*(part[places_BP].cpu() for part in batch.code)))
    return strengths(chosen, lab.observer.features)


@torch.no_grad()
def in_text(lab: Lab, text: str) -> Strengths:
    """What fires on the tokens of a text without a picture; the template's own don't count."""
    seeing = lab.seeing
    inputs, empty = (seeing.adapter.prepare([Prompt((), given)]) for given in (text, ""))
    (ids_T,), (empty_T,) = (each.tensors["input_ids"].tolist() for each in (inputs, empty))
    before = _shared(ids_T, empty_T)
    after = _shared(ids_T[before:][::-1], empty_T[before:][::-1])
    own = slice(before, len(ids_T) - after)
    if not ids_T[own]:
        raise WontWork(f"The text {text!r} has no tokens of its own")
    code = seeing.coder.encode(harvest(seeing.adapter, inputs, seeing.hook)[0, own])
    return strengths([Code(*(part.cpu() for part in code))], seeing.features)


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences begin with in common."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))


def strengths(codes: Sequence[Code], features: int) -> Strengths:
    """Over the rows of all codes together."""
    total_F, peak_F, lit_F = (torch.zeros(features) for _ in range(3))
    places = 0
    for values_NK, indices_NK in codes:
        places += len(values_NK)
        values, indices = values_NK.float().flatten(), indices_NK.long().flatten()
        total_F.index_add_(0, indices, values)
        lit_F.index_add_(0, indices, (values > 0).float())
        peak_F.scatter_reduce_(0, indices, values, "amax")
    return Strengths(total_F / max(places, 1), peak_F, lit_F / max(places, 1))


@torch.no_grad()
def fired_on(lab: Lab, pictures: Sequence[Image.Image]) -> Tensor:
    """On how many of some pictures each feature fires [F]."""
    count_F = torch.zeros(lab.observer.features, dtype=torch.int64)
    for batch in seen(lab.observer, pictures):
        flat = Code(*(part.flatten(1).cpu() for part in batch.code))
        count_F += (peaks(flat, lab.observer.features) > 0).sum(0)
    return count_F
