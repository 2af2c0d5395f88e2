"""How strongly a feature fires on a picture, as a whole and in a region of it.

Knows the observer's codes; nothing of why a picture is looked at.

Shapes: R x C the grid of cells, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict

from sae_core.coders.coder import check_feature
from sae_core.index.observer import Observer
from sae_core.masks import placed
from tools.observing import seen

Measure = Literal["mean", "peak", "inside"]
"""Over all cells, zeros included; the largest cell; over the region's pixels."""


class Reading(BaseModel):
    """One feature on one picture."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    mean: float
    """Over all cells, zeros included."""
    peak: float
    """The largest cell."""
    inside: float
    """Over the pixels of the region that was asked about."""


def maps_of(observer: Observer, feature: int, pictures: Sequence[Image.Image]) -> list[np.ndarray]:
    """A feature's activation in each cell of some pictures."""
    check_feature(observer, feature)
    asked = torch.tensor([feature])
    return [
        map_P.reshape(batch.grid)
        for batch in seen(observer, pictures)
        for map_P in batch.code.of(asked.to(batch.code.indices_NK.device)).float().cpu().numpy()
    ]


def reading(map_RC: np.ndarray, region: np.ndarray) -> Reading:
    """What a map comes to."""
    height, width = region.shape
    # Cells without a place look at every pixel.
    there_RC = map_RC if placed(map_RC.shape) else np.full_like(map_RC, map_RC.mean())
    enlarged = Image.fromarray(there_RC).resize((width, height), Image.Resampling.NEAREST)
    return Reading(
        mean=float(map_RC.mean()),
        peak=float(map_RC.max()),
        inside=float(np.asarray(enlarged)[region].mean()),
    )


def change(before: float, after: float) -> float:
    """How much was lost or won, from -1 where all was lost to 1 where there was nothing before."""
    return (after - before) / largest if (largest := max(before, after)) > 0 else 0.0
