"""Many questions about one picture in one sequence: each sees the picture and itself, no other.

Knows token numbers, positions and masks; nothing of what they mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

IGNORE = -100


class Turn(NamedTuple):
    """What is asked and what is to be answered, as token ids; the answer ends the turn."""

    asked: list[int]
    answer: list[int]


class Packed(NamedTuple):
    """A batch of packed sequences: tokens, positions, labels, weights [B, T]; mask [B, 1, T, T].

    labels_BT are what each position has to say next. The first `prefix` positions are shared by
    all turns of a row; whoever embeds the batch fills in pictures there.
    """

    tokens: Tensor
    positions: Tensor
    labels: Tensor
    weights: Tensor
    mask: Tensor
    prefix: int


def pack(rows: list[list[Turn]], prefix: list[int]) -> Packed:
    """Pack each row's turns behind a prefix of the same tokens."""
    start = len(prefix)
    longest = max(sum(len(t.asked) + len(t.answer) for t in row) for row in rows)
    size, width = len(rows), start + longest
    tokens = np.zeros((size, width), np.int64)
    tokens[:, :start] = prefix
    positions = np.zeros((size, width), np.int64)
    positions[:, :start] = np.arange(start)
    labels = np.full((size, width), IGNORE, np.int64)
    weights = np.zeros((size, width), np.float32)
    block = np.full((size, width), -1, np.int64)
    block[:, :start] = 0
    for b, row in enumerate(rows):
        at = start
        for number, (asked, answer) in enumerate(row, start=1):
            both = [*asked, *answer]
            end = at + len(both)
            tokens[b, at:end] = both
            positions[b, at:end] = np.arange(start, start + len(both))
            block[b, at:end] = number
            said = at + len(asked) - 1
            labels[b, said : end - 1] = answer
            weights[b, said : end - 1] = len(answer) ** -0.5
            at = end
    order = np.arange(width)
    earlier = order[None, :] <= order[:, None]
    same = block[:, :, None] == block[:, None, :]
    shared = (block == 0)[:, None, :]
    mask = (same | shared) & earlier[None]
    mask |= np.eye(width, dtype=bool)[None]
    return Packed(
        torch.from_numpy(tokens),
        torch.from_numpy(positions),
        torch.from_numpy(labels),
        torch.from_numpy(weights),
        torch.from_numpy(mask)[:, None],
        start,
    )


def to(packed: Packed, where: torch.device) -> Packed:
    """The batch on a device."""
    return Packed(*(tensor.to(where) for tensor in packed[:-1]), packed.prefix)
