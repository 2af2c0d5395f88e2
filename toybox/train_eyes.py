"""First stage of every recipe: a vision tower learns, patch by patch, what the renderer knows.

From language alone a small model on few cores hardly learns to see objects (docs/log.md); from
dense labels it does within minutes. Knows pictures and labels; nothing of language.

Shapes: B pictures, C cells of the 12 x 12 grid, P patches of the tower, F facets, L labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModel

from sae_core.masks import highlighted
from toybox.dataset import FACETS, EvidenceTable, Labelled
from toybox.evidence import meanings, nothing, ragged
from toybox.grid import GRID, PATCH
from toybox.training import Losses, Plan, device, fit

NONE_WEIGHT = 0.25
IGNORE = -100
Rng = np.random.Generator


class Seen(NamedTuple):
    """Pictures for a tower, and what is seen at each patch: a label per facet, or IGNORE."""

    pixels: Tensor
    labels_BPF: Tensor


class Eye(nn.Module):
    """A vision tower with one linear read-out of all facets at each patch."""

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__()
        self.tower = CLIPVisionModel(config)
        self.sides = math.isqrt(self.tower.embeddings.num_patches)
        self.facets = nn.Linear(config.hidden_size, sum(map(len, FACETS.values())))

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """Logits [B, P, L] of each facet."""
        hidden = self.tower(pixels).last_hidden_state[:, 1:]
        return list(self.facets(hidden).float().split([len(v) for v in FACETS.values()], -1))


def to_model(pixels_BHW3: np.ndarray) -> Tensor:
    """uint8 pictures as a model gets them: channels first, -1 to 1, on the device."""
    pixels = torch.from_numpy(np.ascontiguousarray(pixels_BHW3)).to(device())
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def hide_cells(rng: Rng, count: int) -> np.ndarray:
    """For each picture, which cells are covered: mostly none, sometimes a box, sometimes many."""
    hidden = np.zeros((count, GRID, GRID), bool)
    for i in np.nonzero(rng.random(count) < 0.3)[0]:
        if rng.random() < 0.5:
            y, x = rng.integers(0, GRID - 3, 2)
            h, w = rng.integers(2, 7, 2)
            hidden[i, y : y + h, x : x + w] = True
        else:
            hidden[i] = rng.random((GRID, GRID)) < rng.uniform(0.1, 0.7)
    return hidden


def cover(pixels: np.ndarray, hidden_BGG: np.ndarray, rng: Rng) -> np.ndarray:
    """Paint hidden cells over: nearly black, one grey, or noise."""
    full = hidden_BGG.repeat(PATCH, 1).repeat(PATCH, 2)
    out = pixels.copy()
    for i in np.nonzero(hidden_BGG.any((1, 2)))[0]:
        style, covered = rng.integers(3), full[i]
        if style == 0:
            out[i][covered] = (pixels[i][covered] * (31 / 255)).astype(np.uint8)
        elif style == 1:
            out[i][covered] = rng.integers(0, 256)
        else:
            out[i][covered] = rng.integers(0, 256, (int(covered.sum()), 3))
    return out


def epoch_rows(count: int, size: int, step: int, key: int) -> np.ndarray:
    """The pictures of a step: each epoch another order, each picture once an epoch at most."""
    epoch, at = divmod(step * size, count - count % size)
    return np.sort(np.random.default_rng((key, epoch)).permutation(count)[at : at + size])


def with_scene(labels_BPF: np.ndarray, scenes_B: np.ndarray) -> np.ndarray:
    """Patch labels with the picture's scene as the last facet, at every patch."""
    scene = np.broadcast_to(scenes_B[:, None, None] + 1, (*labels_BPF.shape[:2], 1))
    return np.concatenate([labels_BPF, scene], 2).astype(np.int64)


def fine_batch(data: Labelled, step: int, size: int = 64) -> Seen:
    """Pictures with some cells covered; what is covered isn't asked for."""
    rng = np.random.default_rng((11, step))
    rows = epoch_rows(len(data.pixels_NHW3), size, step, 12)
    hidden = hide_cells(rng, size)
    pixels = to_model(cover(data.pixels_NHW3[rows], hidden, rng))
    labels = with_scene(data.patches_NPF[rows], data.scenes_N[rows])
    labels[hidden.reshape(size, -1)] = IGNORE
    light = torch.from_numpy(rng.uniform(0.9, 1.1, (size, 1, 1, 1)).astype(np.float32))
    return Seen(pixels * light.to(pixels), torch.from_numpy(labels).to(device()))


class Album:
    """An evidence table looked up by picture: what a mask leaves bright, as patch labels."""

    def __init__(self, table: EvidenceTable) -> None:
        self.table = table
        self.starts = table.starts()
        names = list(FACETS)
        facets = {"material": "finish", "texture": "finish"}
        self.facet_of = np.full(len(meanings()), -1)
        self.label_of = np.zeros(len(meanings()), np.int64)
        for number, meaning in enumerate(meanings()):
            if not meaning.kind:
                facet = facets.get(meaning.group, meaning.group)
                self.facet_of[number] = names.index(facet)
                self.label_of[number] = FACETS[facet].index(meaning.word)

    def rows(self, picture: int) -> slice:
        """The rows of the table that belong to a picture."""
        return slice(self.starts[picture], self.starts[picture + 1])

    def bright_labels(self, picture: int, active: np.ndarray, sides: int) -> np.ndarray:
        """Labels [P, F] of what an active mask leaves bright, on a grid of `sides` patches."""
        rows = self.rows(picture)
        numbers = self.table.number_R[rows]
        bright = self.table.cells_RC[rows].astype(np.int64) * active.reshape(-1)
        step = GRID // sides
        area = bright.reshape(-1, sides, step, sides, step).sum((2, 4)).reshape(len(numbers), -1)
        best = np.full((sides * sides, len(FACETS)), 255 * step * step // 20)
        labels = np.zeros_like(best)
        for number, shares in zip(numbers, area, strict=True):
            facet = self.facet_of[number]
            if facet >= 0:
                more = shares > best[:, facet]
                labels[more, facet] = self.label_of[number]
                best[more, facet] = shares[more]
        return labels


def _some_mask(album: Album, picture: int, rng: Rng) -> np.ndarray:
    chance = rng.random()
    if chance < 0.15:
        return np.ones((GRID, GRID), bool)
    if chance < 0.35:
        return nothing(rng)
    rows = album.rows(picture)
    return ragged(album.table.cells_RC[int(rng.integers(rows.start, rows.stop))], rng)


def coarse_batch(album: Album, step: int, size: int = 96) -> Seen:
    """Pictures masked as evidence is; only what stays bright has labels."""
    rng = np.random.default_rng((13, step))
    rows = epoch_rows(len(album.table.pixels_NHW3), size, step, 14)
    masks = [_some_mask(album, int(row), rng) for row in rows]
    pixels = [
        highlighted(album.table.pixels_NHW3[row], mask)
        for row, mask in zip(rows, masks, strict=True)
    ]
    labels = [
        album.bright_labels(int(row), mask, GRID // 2)
        for row, mask in zip(rows, masks, strict=True)
    ]
    return Seen(to_model(np.stack(pixels)), torch.from_numpy(np.stack(labels)).to(device()))


def eye_loss(eye: Eye, batch: Seen) -> Losses:
    """Cross-entropy of each facet at each patch; patches with nothing there count less."""
    losses: Losses = {}
    for f, (name, logits) in enumerate(zip(FACETS, eye(batch.pixels), strict=True)):
        weight = torch.ones(logits.shape[-1], device=logits.device)
        weight[0] = NONE_WEIGHT
        losses[name] = F.cross_entropy(
            logits.flatten(0, 1), batch.labels_BPF[..., f].reshape(-1), weight, ignore_index=IGNORE
        )
    return losses


def train_eye(
    config: CLIPVisionConfig, plan: Plan, batch: Callable[[int], Seen], folder: Path
) -> Eye:
    """Train a tower on dense labels, or load the finished one."""
    torch.manual_seed(0)
    eye = Eye(config)
    fit(eye, plan, batch, lambda seen: eye_loss(eye, seen), folder)
    return eye
