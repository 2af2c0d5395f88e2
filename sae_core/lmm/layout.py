"""Which positions of a sequence show which part of which picture.

Knows kinds of position, boxes and grids; nothing of models, processors or tokens.

Shapes: T positions of one sequence, P positions of one picture, 4 sides of a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sae_core.errors import UserError

PAD, TEXT, BASE, TILE, BREAK = -1, 0, 1, 2, 3
"""Kinds of position. BASE shows a part of the whole picture, TILE a part of an enlarged crop; BREAK
ends a row of tiles and shows nothing."""


class Region(NamedTuple):
    """One picture's positions in the order in which the model reads them."""

    kind_P: Tensor
    box_P4: Tensor
    grid: tuple[int, int]
    """Rows and columns of the base grid."""


class Layout(NamedTuple):
    """One sequence of a batch, padding included."""

    kind_T: Tensor
    """int8, one of the kinds above."""
    picture_T: Tensor
    """int16, which picture of the prompt; -1 for text and padding."""
    box_T4: Tensor
    """float32 left, top, right, bottom in pixels of the original picture; NaN where there is none.
    A position that shows nothing but padding of its picture has a box without area."""
    grids: tuple[tuple[int, int], ...]
    """Rows and columns of each picture's base grid, whose positions are in row-major order."""

    def base(self, picture: int = 0) -> Tensor:
        """The positions of a picture's base grid, row by row."""
        if not 0 <= picture < len(self.grids):
            raise UserError(
                f"No picture {picture} in this prompt: it has {len(self.grids)}, counted from 0. "
                "Give the prompt a picture, or ask for one that it has"
            )
        return ((self.kind_T == BASE) & (self.picture_T == picture)).nonzero()[:, 0]

    def where(self, *kinds: int) -> Tensor:
        """The positions of these kinds."""
        return torch.isin(self.kind_T, self.kind_T.new_tensor(kinds)).nonzero()[:, 0]


def laid_out(kept_T: Tensor, shows_T: Tensor, regions: Sequence[Region]) -> Layout:
    """The layout of a sequence, from what is no padding, what shows pictures, and the pictures."""
    wanted = sum(len(region.kind_P) for region in regions)
    if int(shows_T.sum()) != wanted:
        raise UserError(
            f"The processor made {int(shows_T.sum())} picture positions where the model makes "
            f"{wanted}: their configurations differ. Load both from the same folder"
        )
    kind_T = torch.where(kept_T, TEXT, PAD).to(torch.int8)
    picture_T = torch.full_like(kind_T, -1, dtype=torch.int16)
    box_T4 = torch.full((len(kind_T), 4), torch.nan)
    if regions:
        kind_T[shows_T] = torch.cat([region.kind_P for region in regions]).to(torch.int8)
        box_T4[shows_T] = torch.cat([region.box_P4 for region in regions]).float()
        lengths = torch.tensor([len(region.kind_P) for region in regions])
        picture_T[shows_T] = torch.arange(len(regions)).repeat_interleave(lengths).short()
    return Layout(kind_T, picture_T, box_T4, tuple(region.grid for region in regions))
