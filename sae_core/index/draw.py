"""Draws pictures by chance in a way that no order, batch or shard can change.

Each picture's lot is a hash of the seed and the picture's number; who draws k pictures takes those
with the k smallest lots. So two draws, from two halves of a set, hold the draw from the whole.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_STEP = np.uint64(0x9E3779B97F4A7C15)
LAST = torch.iinfo(torch.int64).max
"""No lot is larger."""


def _mixed(state: np.ndarray) -> np.ndarray:
    """One output of the splitmix64 generator for each state; its constants are public domain."""
    state = state + _STEP
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def lots(seed: int, picture_N: Tensor) -> Tensor:
    """Each picture's lot, at least 0 [N]. Two may be equal: ties go to the smaller number."""
    start = _mixed(np.array([seed], np.uint64))
    mixed = _mixed(start ^ _mixed(picture_N.cpu().numpy().astype(np.uint64)))
    # Torch has no order on unsigned numbers, so the lowest bit is given up.
    return torch.from_numpy((mixed >> np.uint64(1)).astype(np.int64))
