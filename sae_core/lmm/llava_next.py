"""LLaVA-NeXT: the whole picture first, then the tiles of its enlargement, row by row.

Which cells of the tiles are kept, once padding is taken off, is asked of the model itself.

Shapes: C cells of a frame, P positions of one picture, N cells along one axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel, ProcessorMixin

from sae_core.errors import UserError
from sae_core.lmm.anyres import Grid, Size, eye_of, stretched, tile_count, tiled
from sae_core.lmm.common import CommonAdapter, Regions
from sae_core.lmm.layout import BASE, BREAK, TILE, Region

SIZES_KEPT = 1024
"""How many sizes of pictures the geometry is remembered for."""


class LlavaNext(CommonAdapter):
    """llava-hf/llama3-llava-next-8b-hf and its like."""

    name = "llava-next"

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        super().__init__(model, processor)
        self.eye = eye_of(processor.image_processor, model.config.vision_config.patch_size)
        self._check_pinpoints()
        self._region = lru_cache(SIZES_KEPT)(self.region)

    def _check_pinpoints(self) -> None:
        sides = (
            self.processor.image_processor.image_grid_pinpoints,
            self.model.config.image_grid_pinpoints,
        )
        made, read = ([list(point) for point in points] for points in sides)
        if made != read or any(side % self.eye.frame for point in made for side in point):
            raise UserError(
                f"The processor enlarges pictures to {made}, the model expects {read} in tiles of "
                f"{self.eye.frame}. Load both from the same folder"
            )

    def regions(self, sizes: Sequence[Sequence[Size]], encoded: Mapping[str, Tensor]) -> Regions:
        """The pictures of each prompt."""
        del encoded  # sizes say it all
        return [[self._region(size, len(row) == 1) for size in row] for row in sizes]

    def region(self, size: Size, alone: bool) -> Region:
        """One picture's base grid and tiles; whether it is alone in its prompt is no matter."""
        del alone
        base = stretched(self.eye, size)
        tiles_RC4 = self.tiles(size).boxes()
        # One break ends each row.
        ended = F.pad(tiles_RC4, (0, 0, 0, 1), value=torch.nan)
        kind_RC = torch.full(ended.shape[:2], TILE)
        kind_RC[:, -1] = BREAK
        cells = self.eye.cells
        return Region(
            torch.cat([torch.full((cells * cells,), BASE), kind_RC.flatten()]),
            torch.cat([base.boxes().flatten(0, 1), ended.flatten(0, 1)]),
            (cells, cells),
        )

    def tiles(self, size: Size) -> Grid:
        """The cells of the tiles that the model reads."""
        count = tile_count(self.eye, size, self.model.config.image_grid_pinpoints)
        grid = tiled(self.eye, size, count)
        read_P2 = self.packed(self.cells_of(count), size)[self.eye.cells**2 :].long()
        breaks = read_P2[:, 0] < 0
        rows, columns = (at.unique() for at in read_P2[~breaks].unbind(-1))
        if not len(rows):  # of a very thin picture nothing is kept, but perhaps the breaks are
            rows = torch.arange(int(breaks.sum()))
        return Grid(grid.down_N2[rows], grid.across_N2[columns])

    def cells_of(self, count: Size) -> Tensor:
        """Stand-ins for features: the row and column that each cell is in [1 + tiles, C, 2]."""
        cells = self.eye.cells
        at = [torch.arange(number * cells).view(number, cells) for number in count]
        rows = at[0][:, None, :, None].expand(count.height, count.width, cells, cells)
        columns = at[1][None, :, None, :].expand_as(rows)
        tiles = torch.stack([rows, columns], -1).view(-1, cells * cells, 2).double()
        return torch.cat([torch.zeros_like(tiles[:1]), tiles])

    def packed(self, features: Tensor, size: Size) -> Tensor:
        """Features in the order in which the model reads them, -1 for breaks [P, 2]."""
        packed, _ = self.model.model.pack_image_features(
            [features],
            torch.tensor([size]),
            vision_feature_select_strategy=self.model.config.vision_feature_select_strategy,
            image_newline=torch.tensor([-1.0, -1.0]),
        )
        return packed[0]
