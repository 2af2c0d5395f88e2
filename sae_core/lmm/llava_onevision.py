"""LLaVA-OneVision: as LLaVA-NeXT, but many tiles are interpolated to fewer cells.

Several pictures in one prompt are each padded to a square and read without tiles.

Shapes: P positions of one picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sae_core.lmm.anyres import Grid, Size, shrunk, squared, tile_count
from sae_core.lmm.layout import BASE, BREAK, Region
from sae_core.lmm.llava_next import LlavaNext

UNBOUNDED = f"anyres_max_{10**9}"
"""An aspect ratio setting under which nothing is interpolated."""


class LlavaOnevision(LlavaNext):
    """llava-hf/llava-onevision-qwen2-7b-ov-hf and its like."""

    name = "llava-onevision"

    def region(self, size: Size, alone: bool) -> Region:
        """One picture: base grid and tiles where it is alone in its prompt, else one square."""
        if alone:
            return super().region(size, alone)
        cells = self.eye.cells
        box_P4 = squared(self.eye, size).boxes().flatten(0, 1)
        return Region(
            torch.tensor([BASE] * len(box_P4) + [BREAK]),
            torch.cat([box_P4, torch.full((1, 4), torch.nan)]),
            (cells, cells),
        )

    def tiles(self, size: Size) -> Grid:
        """The cells of the tiles that the model reads, interpolated if there are too many."""
        grid = super().tiles(size)
        count = tile_count(self.eye, size, self.model.config.image_grid_pinpoints)
        bound = self.model.config.vision_aspect_ratio
        read_P2 = self.packed(self.cells_of(count), size, bound)[self.eye.cells**2 :]
        rows = int((read_P2[:, 0] < 0).sum())
        if not grid.boxes().numel():
            return grid
        columns = len(read_P2) // rows - 1
        return Grid(shrunk(grid.down_N2, rows), shrunk(grid.across_N2, columns))

    def packed(self, features: Tensor, size: Size, bound: str = UNBOUNDED) -> Tensor:
        """Features in the order in which the model reads them, -1 for breaks [P, 2]."""
        packed, _ = self.model.model.pack_image_features(
            [features],
            torch.tensor([size]),
            image_newline=torch.tensor([-1.0, -1.0]),
            vision_aspect_ratio=bound,
        )
        return packed[0]
