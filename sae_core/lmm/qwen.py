"""Qwen2.5-VL: pictures keep their own resolution, rounded to whole cells of merged patches.

Shapes: P positions of one picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.lmm.anyres import Grid, Size
from sae_core.lmm.common import CommonAdapter, Regions
from sae_core.lmm.layout import BASE, Region

THINNEST = 200
"""The processor takes no picture whose longer side is more than this many times the shorter."""


class Qwen(CommonAdapter):
    """Qwen/Qwen2.5-VL-7B-Instruct and its like."""

    name = "qwen2.5-vl"

    def check(self, prompt: Prompt) -> None:
        """Refuse a picture that is too thin, besides what all adapters refuse."""
        super().check(prompt)
        for picture in prompt.pictures:
            if max(picture.size) > THINNEST * min(picture.size):
                raise UserError(
                    f"A picture of {picture.width} x {picture.height} pixels is too thin for "
                    f"{self.name}: one side is more than {THINNEST} times the other. Crop it"
                )

    def plain(self, prompt: Prompt) -> str:
        """The prompt for a processor without a chat template."""
        return f"<|vision_start|>{self.mark}<|vision_end|>" * len(prompt.pictures) + prompt.text

    def regions(self, sizes: Sequence[Sequence[Size]], encoded: Mapping[str, Tensor]) -> Regions:
        """The pictures of each prompt."""
        grids = iter(encoded["image_grid_thw"].tolist() if any(sizes) else [])
        return [[self._region(size, *next(grids)) for size in row] for row in sizes]

    def _region(self, size: Size, frames: int, rows: int, columns: int) -> Region:
        merge = self.processor.image_processor.merge_size
        grid = (frames * rows // merge, columns // merge)
        box_P4 = Grid(_spans(size.height, grid[0]), _spans(size.width, grid[1])).boxes()
        return Region(torch.full((grid[0] * grid[1],), BASE), box_P4.flatten(0, 1), grid)


def _spans(side: int, cells: int) -> Tensor:
    """Even spans of a side [cells, 2]."""
    cuts = torch.arange(cells + 1, dtype=torch.float64) * side / cells
    return torch.stack([cuts[:-1], cuts[1:]], -1)
