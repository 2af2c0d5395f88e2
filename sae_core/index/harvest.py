"""Shows pictures to a model, and codes what a layer makes of each part of them.

Shapes: B pictures, P cells of the base grid, T positions, D width of the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from PIL import Image

from sae_core.coders.coder import SparseCoder
from sae_core.errors import UserError
from sae_core.index.table import Harvested
from sae_core.lmm.adapter import Adapter, Inputs, Prompt
from sae_core.lmm.hooks import harvest


class Numbered(NamedTuple):
    """A picture, and its number in the picture set."""

    number: int
    picture: Image.Image


@torch.no_grad()
def observe(
    adapter: Adapter, coder: SparseCoder, hook: str, pictures: Sequence[Numbered]
) -> Harvested:
    """Show each picture alone, without a word, as the paper does."""
    inputs = adapter.prepare([Prompt((shown.picture,), "") for shown in pictures])
    grids = [layout.grids[0] for layout in inputs.layouts]
    for shown, (rows, columns) in zip(pictures, grids, strict=True):
        if (rows, columns) != grids[0]:
            raise UserError(
                f"Picture {shown.number} has a base grid of {rows} x {columns}, picture "
                f"{pictures[0].number} one of {grids[0][0]} x {grids[0][1]}: an index needs "
                "one grid. Resize the pictures to one size"
            )
    return coded(adapter, coder, hook, inputs, [shown.number for shown in pictures])


@torch.no_grad()
def coded(
    adapter: Adapter, coder: SparseCoder, hook: str, inputs: Inputs, numbers: Sequence[int]
) -> Harvested:
    """What fires on a batch that is prepared, one picture in each row."""
    x_BTD = harvest(adapter, inputs, hook)
    x_BPD = torch.stack(
        [
            x_TD[layout.base().to(x_TD.device)]
            for x_TD, layout in zip(x_BTD, inputs.layouts, strict=True)
        ]
    )
    grid = inputs.layouts[0].grids[0]
    return Harvested(torch.tensor(numbers), coder.encode(x_BPD), x_BPD.float().mean(1), grid)
