"""The paper's random baseline: a label scored on five pictures by chance, over and over.

Where a feature is silent its mask is empty and its IoU is 0, whatever is found there: the grounder
is only asked where it fires. Knows pictures, labels and numbers.

Shapes: M pictures, E entries of an embedding, P cells, R x C the grid, T trials.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sae_core.index.masks import ACTIVE
from sae_core.scoring.overlap import Lit, overlap_cases
from sae_core.scoring.similarity import PAPER_PICTURES, PAPER_TRIALS, clip_scores
from tools.lab import Lab
from tools.masking import active
from tools.measures import grounded
from tools.observing import AT_ONCE, seen

SIZE = 256
"""So many explore pictures are looked at once, and drawn from for every feature."""
IOU_TRIALS = 10


class Pool:
    """Pictures by chance, with what some features do on them; looked at when first asked for."""

    def __init__(self, lab: Lab, features: Sequence[int]) -> None:
        self._lab, self._features = lab, tuple(features)
        total = len(lab.pictures("explore"))
        rng = np.random.default_rng(lab.seed)
        self._number_M = rng.choice(total, min(SIZE, total), replace=False)

    @property
    def size(self) -> int:
        """M."""
        return len(self._number_M)

    def ious(self, feature: int, label: str) -> tuple[float, ...]:
        """The mean of each trial [T]."""
        iou_M = np.zeros(self.size)
        maps = self._lab.once(f"maps {self._features}", self._seen)
        lit = maps.get(feature, {})
        drawn_TN = self._trials(feature, IOU_TRIALS)
        places = [place for place in np.unique(drawn_TN).tolist() if place in lit]
        if places:
            shown = [self._lab.picture("explore", self._number(place)) for place in places]
            found = grounded(self._lab, shown, label)
            cases = overlap_cases([lit[place] for place in places], found, "paper")
            iou_M[places] = cases.value_N
        return tuple(iou_M[drawn_TN].mean(1).tolist())

    def clip_scores(self, feature: int, label: str) -> tuple[float, ...]:
        """The mean of each trial [T]."""
        label_E = self._lab.clip.of_texts([label]).numpy()[0]
        look_ME = self._lab.once("looks by chance", self._looks)
        score_M = clip_scores(label_E, look_ME.numpy())
        return tuple(score_M[self._trials(feature, PAPER_TRIALS)].mean(1).tolist())

    def _trials(self, feature: int, trials: int) -> np.ndarray:
        """Different pictures in each trial, drawn for each feature anew."""
        rng = np.random.default_rng((self._lab.seed, feature, trials))
        few = min(PAPER_PICTURES, self.size)
        return np.array([rng.choice(self.size, few, replace=False) for _ in range(trials)])

    def _number(self, place: int) -> int:
        return int(self._number_M[place])

    def _seen(self) -> dict[int, dict[int, Lit]]:
        """Where each feature is lit, by its number and the picture's place."""
        maps: dict[int, dict[int, Lit]] = {}
        wanted, place = torch.tensor(self._features), 0
        pictures = [self._lab.picture("explore", number) for number in self._number_M.tolist()]
        for batch in seen(self._lab.observer, pictures):
            values_BPK, indices_BPK = (part.cpu() for part in batch.code)
            for value_PK, index_PK in zip(values_BPK.float(), indices_BPK.long(), strict=True):
                for feature in set(index_PK[torch.isin(index_PK, wanted)].tolist()):
                    map_P = torch.where(index_PK == feature, value_PK, 0).sum(1)
                    map_RC = map_P.reshape(batch.grid).numpy()
                    if active(map_RC, ACTIVE).any():
                        lit = Lit(self._number(place), map_RC, ACTIVE)
                        maps.setdefault(feature, {})[place] = lit
                place += 1
        return maps

    def _looks(self) -> Tensor:
        pictures = [self._lab.picture("explore", number) for number in self._number_M.tolist()]
        batches = (pictures[at : at + AT_ONCE] for at in range(0, len(pictures), AT_ONCE))
        return torch.cat([self._lab.clip.of_pictures(batch) for batch in batches]).cpu()
