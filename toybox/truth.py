"""What each feature of a coder really is: the concept of the renderer's that it fits best.

Knows the truth about pictures, so no agent may read it: it is what agents are measured against.
For each feature, over held-out pictures: the concept whose presence its activation tells best
(AUROC over pictures), and how well its cells cover that concept's cells (IoU over cells).

Shapes: N pictures, P cells, F features, C concepts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from sae_core.index.table import Harvested
from toybox.evidence import cells_of
from toybox.grid import GRID
from toybox.vocabulary import CONCEPTS
from toybox.world_draw import draw_scene
from toybox.world_splits import split

SHOWS = 0.25
"""What share of a cell a concept must fill to count as shown there."""
GOOD = 0.9


class Match(BaseModel):
    """One feature's best concept."""

    concept: str
    """Such as object:car."""
    auroc: float
    """How well its activation tells pictures with the concept from those without."""
    iou: float
    """Cells on which it fires, against cells that show the concept."""
    fires_on: int
    """Pictures on which it fires at all."""


class Told(BaseModel):
    """One concept's best feature."""

    feature: int
    auroc: float


class Truth(BaseModel):
    """The best concept of every feature that ever fires, and the best feature of every concept."""

    coder: str
    split: str
    pictures: int
    features: dict[int, Match]
    concepts: dict[str, Told]
    """For each concept, the feature that tells it best."""

    def found(self, least: float = GOOD) -> list[str]:
        """The concepts that some feature tells at least so well."""
        return [name for name, told in self.concepts.items() if told.auroc >= least]


class Depicted(NamedTuple):
    """What the renderer says of some pictures."""

    present_NC: np.ndarray
    cells_NPC: np.ndarray


def depicted(name: str, numbers: Iterable[int]) -> Depicted:
    """Which concepts some pictures of a split show, and in which cells."""
    present, cells, nowhere = [], [], np.zeros(GRID * GRID, bool)
    for number in numbers:
        picture = draw_scene(split(name).scene(number))
        seen = set(picture.concepts())
        present.append([concept in seen for concept in CONCEPTS])
        cells.append(
            np.stack(
                [
                    cells_of(picture.mask(c)) >= SHOWS * 255 if c in seen else nowhere
                    for c in CONCEPTS
                ],
                1,
            )
        )
    return Depicted(np.array(present), np.stack(cells))


def auroc(scores_NF: Tensor, present_NC: Tensor) -> Tensor:
    """How often a picture with the concept scores higher than one without, ties half [F, C]."""
    ranks_NF = _ranks(scores_NF)
    with_C = present_NC.double().sum(0)
    without_C = len(present_NC) - with_C
    sums_FC = ranks_NF.T @ present_NC.double()
    return (sums_FC - with_C * (with_C + 1) / 2) / (with_C * without_C)


def _ranks(scores_NF: Tensor) -> Tensor:
    """Ranks from 1 in each column, ties averaged."""
    order = scores_NF.argsort(0)
    ordered = scores_NF.gather(0, order)
    places = torch.arange(1, len(scores_NF) + 1, dtype=torch.float64)[:, None]
    new = torch.ones_like(ordered, dtype=torch.bool)
    new[1:] = ordered[1:] != ordered[:-1]
    group = new.cumsum(0) - 1
    empty = torch.zeros_like(ordered, dtype=torch.float64)
    sums = empty.scatter_add(0, group, places.expand_as(ordered))
    counts = empty.scatter_add(0, group, torch.ones_like(empty))
    mean = (sums / counts.clamp(min=1)).gather(0, group)
    return empty.scatter(0, order, mean)


class Matcher:
    """Gathers what features do on pictures whose truth is known."""

    def __init__(self, features: int, name: str) -> None:
        self.features, self.split = features, name
        self.numbers: list[int] = []
        self.most_NF: list[Tensor] = []
        self.present_NC: list[Tensor] = []
        size = len(CONCEPTS)
        self.both_FC = torch.zeros(features, size, dtype=torch.float64)
        self.fires_F = torch.zeros(features, dtype=torch.float64)
        self.shows_C = torch.zeros(size, dtype=torch.float64)

    def add(self, batch: Harvested) -> None:
        """Take in some pictures of the split."""
        numbers = batch.picture_B.tolist()
        present_BC, cells_BPC = (torch.from_numpy(a) for a in depicted(self.split, numbers))
        dense_BPF = batch.code.dense(self.features)
        fires_XF = (dense_BPF > 0).reshape(-1, self.features).double()
        shows_XC = cells_BPC.reshape(len(fires_XF), -1).double()
        self.numbers += numbers
        self.most_NF.append(dense_BPF.amax(1))
        self.present_NC.append(present_BC)
        self.both_FC += fires_XF.T @ shows_XC
        self.fires_F += fires_XF.sum(0)
        self.shows_C += shows_XC.sum(0)

    def truth(self, coder: str) -> Truth:
        """The matches."""
        most_NF, present_NC = torch.cat(self.most_NF), torch.cat(self.present_NC)
        told_FC = auroc(most_NF, present_NC).nan_to_num(0.0)
        either_FC = self.fires_F[:, None] + self.shows_C - self.both_FC
        iou_FC = self.both_FC / either_FC.clamp(min=1)
        fires_on = (most_NF > 0).sum(0).tolist()
        best_F = told_FC.argmax(1).tolist()
        matches = {
            j: Match(
                concept=CONCEPTS[c].id,
                auroc=float(told_FC[j, c]),
                iou=float(iou_FC[j, c]),
                fires_on=fires_on[j],
            )
            for j, c in enumerate(best_F)
            if fires_on[j]
        }
        telling_C = told_FC.argmax(0).tolist()
        return Truth(
            coder=coder,
            split=self.split,
            pictures=len(self.numbers),
            features=matches,
            concepts={
                c.id: Told(feature=telling_C[i], auroc=float(told_FC[telling_C[i], i]))
                for i, c in enumerate(CONCEPTS)
            },
        )


def write_truth(truth: Truth, path: Path) -> None:
    """Keep it beside the coder, apart from everything that an agent is given."""
    path.write_text(json.dumps(truth.model_dump(mode="json"), indent=1) + "\n")


def read_truth(path: Path) -> Truth:
    """What write_truth() kept."""
    return Truth.model_validate_json(path.read_text())
