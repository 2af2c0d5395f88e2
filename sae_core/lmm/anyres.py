"""Where in a picture the vision tower's cells lie, for processors that enlarge it into tiles.

A picture is read as a whole, stretched to one square, and again as tiles: enlarged with its aspect
ratio kept, padded to the best fitting resolution, and cut. Knows sizes and offsets in pixels, one
axis at a time; nothing of models, tokens or which cells a model keeps.

Shapes: N cells along one axis, 2 for where a cell begins and ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
from transformers.image_utils import ChannelDimension

from sae_core.errors import UserError


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int


class Eye(NamedTuple):
    """How a square frame of pixels becomes cells: resized, cropped or padded, cut into patches."""

    frame: int
    """Edge of a frame before it is resized; a tile is one frame."""
    resized: int
    crop: int
    patch: int

    @property
    def cells(self) -> int:
        """How many cells there are along one edge; what is left over is not seen."""
        return self.crop // self.patch

    def spans(self, frames: int = 1) -> Tensor:
        """Where cells begin and end, in pixels of some frames side by side [N, 2]."""
        starts_N = torch.arange(self.cells, dtype=torch.float64) * self.patch
        ends_N2 = torch.stack([starts_N, starts_N + self.patch], -1)
        # A crop larger than the frame is padded, by one pixel more before than after where odd.
        shift = (self.resized - self.crop) // 2
        within_N2 = ((ends_N2 + shift) * self.frame / self.resized).clamp(0, self.frame)
        offsets = torch.arange(frames, dtype=torch.float64) * self.frame
        return (offsets[:, None, None] + within_N2).reshape(-1, 2)


def eye_of(image_processor: Any, patch: int) -> Eye:
    """How a tile becomes cells, from the processor's settings."""
    size, crop = dict(image_processor.size), dict(image_processor.crop_size or {})
    edge = size.get("shortest_edge") or size["height"]
    frame = crop.get("height") or edge
    square = size.get("width", edge) == edge and crop.get("width", frame) == frame
    if not square or not (image_processor.do_resize or frame == edge):
        raise UserError(
            f"The image processor makes pictures of {size}, cropped to {crop}, with do_resize="
            f"{image_processor.do_resize}: tiles must be squares of the vision tower's size. "
            "Load the processor that belongs to the model"
        )
    return Eye(frame, edge, frame if image_processor.do_center_crop else edge, patch)


class Grid(NamedTuple):
    """Where the rows and columns of a grid of cells lie in a picture, in its own pixels."""

    down_N2: Tensor
    across_N2: Tensor

    def boxes(self) -> Tensor:
        """Left, top, right and bottom of each cell [rows, columns, 4]."""
        shape = (len(self.down_N2), len(self.across_N2))
        top, bottom = (side[:, None].expand(shape) for side in self.down_N2.unbind(-1))
        left, right = (side.expand(shape) for side in self.across_N2.unbind(-1))
        return torch.stack([left, top, right, bottom], -1)


def stretched(eye: Eye, size: Size) -> Grid:
    """The cells of a picture stretched into one frame."""
    spans_N2 = eye._replace(frame=eye.resized).spans() / eye.resized
    return Grid(spans_N2 * size.height, spans_N2 * size.width)


def squared(eye: Eye, size: Size) -> Grid:
    """The cells of a picture padded to a square before it is stretched."""
    edge = max(size)
    spans_N2 = eye._replace(frame=eye.resized).spans() * edge / eye.resized
    return Grid(*((spans_N2 - (edge - side) // 2).clamp(0, side) for side in size))


def tile_count(eye: Eye, size: Size, pinpoints: list[list[int]]) -> Size:
    """How many tiles the processor makes of a picture, down and across."""
    best = Size(*select_best_resolution(tuple(size), pinpoints))
    return Size(best.height // eye.frame, best.width // eye.frame)


def tiled(eye: Eye, size: Size, tiles: Size) -> Grid:
    """The cells of all tiles of a picture, those included that lie in its padding."""
    canvas = Size(tiles.height * eye.frame, tiles.width * eye.frame)
    shape = np.broadcast_to(np.zeros((), bool), (1, *size))  # of this size, without the memory
    enlarged = Size(*get_patch_output_size(shape, canvas, ChannelDimension.FIRST))
    return Grid(
        *(
            ((eye.spans(count) - (full - new) // 2) * side / new).clamp(0, side)
            for count, full, new, side in zip(tiles, canvas, enlarged, size, strict=True)
        )
    )


def shrunk(spans_N2: Tensor, cells: int) -> Tensor:
    """The spans of fewer cells that share the place of these evenly [cells, 2]."""
    cuts = torch.arange(cells + 1, dtype=torch.float64) * len(spans_N2) / cells
    first, last = cuts[:-1].floor().long(), cuts[1:].ceil().long() - 1
    lengths_N = spans_N2[:, 1] - spans_N2[:, 0]
    begins = spans_N2[first, 0] + (cuts[:-1] - first) * lengths_N[first]
    ends = spans_N2[last, 0] + (cuts[1:] - last) * lengths_N[last]
    return torch.stack([begins, ends], -1)
