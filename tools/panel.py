"""A split's first pictures, as far as they were looked at: how they look, what fires, what is seen.

All of it is kept for the lab, since the next feature asks about the same pictures; how pictures
look is kept on disk, too. Knows pictures, features and words; nothing of hypotheses.

Shapes: N pictures, E entries of an embedding.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from sae_core.index.lit import lit_of, read_lit
from tools.claims import Claim
from tools.evidence import Split
from tools.lab import Lab
from tools.observing import AT_ONCE, seen
from tools.written import written

SIZE = 2048
"""So many pictures are compared with words, the first ones."""
NEAR = 1.2
"""A picture whose likeness to words is so many deviations above the mean may well show them. It
only serves to choose pictures: what they show is for the grounder to say."""
STEEP = 3.0
PLACES = 2
"""Of the logarithm of the odds. Computed in another batch, a score differs behind them."""
T = TypeVar("T")
Lit = dict[int, np.ndarray]
"""The features that fire on a picture, in order, by its number."""


def fires(lab: Lab, split: Split, numbers: Sequence[int], feature: int) -> np.ndarray:
    """Whether a feature fires on each of some pictures [N]."""
    lit = _once(lab, split, "lit", lambda: _known(lab, split))
    new = [number for number in dict.fromkeys(numbers) if number not in lit]
    for at in range(0, len(new), AT_ONCE):
        batch = new[at : at + AT_ONCE]
        lit |= zip(batch, _lit(lab, split, batch), strict=True)
    return np.array([feature in lit[number] for number in numbers], bool)


def _once(lab: Lab, split: Split, name: str, make: Callable[[], T]) -> T:
    """What is kept of a split, for those who may look at it: the verification keeps some, too."""
    lab.pictures(split)
    return lab.once(f"{name} of {split}", make)


def _known(lab: Lab, split: Split) -> Lit:
    """What the split's index has noted of all its pictures, if it has."""
    index = lab.index(split)
    if index.folder is None or index.spec.pictures != lab.pictures(split).digest:
        return {}
    found = read_lit(index.folder)
    return {} if found is None else {n: found.on(n) for n in range(index.spec.size)}


def _lit(lab: Lab, split: Split, numbers: Sequence[int]) -> list[np.ndarray]:
    shown = [lab.picture(split, number) for number in numbers]
    return [row for batch in seen(lab.observer, shown) for row in lit_of(batch)]


def sure(
    lab: Lab, split: Split, numbers: Sequence[int], concepts: Sequence[str]
) -> dict[str, np.ndarray]:
    """How sure the grounder is of each concept in each of some pictures, 0 to 1 [N]."""
    known: dict[tuple[str, int], float] = _once(lab, split, "sure", dict)
    for at in range(0, len(numbers), AT_ONCE):
        batch = numbers[at : at + AT_ONCE]
        new = [(c, n) for c in concepts for n in dict.fromkeys(batch) if (c, n) not in known]
        if new:
            shown = {number: lab.picture(split, number) for _, number in new}
            located = lab.grounder.locate([shown[n] for _, n in new], [c for c, _ in new])
            for pair, one in zip(new, located, strict=True):
                known[pair] = settled(max(one.scores, default=0.0))
    return {c: np.array([known[c, n] for n in numbers], np.float64) for c in concepts}


def settled(sure: float) -> float:
    """The same whatever it was computed along with: odds without their last places."""
    if not 0 < sure < 1:
        return sure
    return 1 / (1 + math.exp(-round(math.log(sure / (1 - sure)), PLACES)))


def looks(lab: Lab, split: Split) -> Tensor:
    """CLIP's embedding of each of the split's first pictures [N, E]."""
    return _once(lab, split, "looks", lambda: _looks(lab, split))


def fit(lab: Lab, split: Split, claim: Claim) -> np.ndarray:
    """Roughly how likely each of the first pictures is to fit a claim, by its looks [N]."""
    like_NC = looks(lab, split) @ lab.clip.of_texts(claim.concepts).T
    deviation_NC = (like_NC - like_NC.mean(0)) / (like_NC.std(0, correction=0) + 1e-9)
    near_NC = torch.sigmoid(STEEP * (deviation_NC - NEAR)).double().numpy()
    return claim.composed(dict(zip(claim.concepts, near_NC.T, strict=True)))


def _looks(lab: Lab, split: Split) -> Tensor:
    pictures = lab.pictures(split)
    size = min(SIZE, len(pictures))
    name = hashlib.sha256(f"{pictures.digest} {size} {lab.clip.identity}".encode()).hexdigest()
    file = f"{name[:16]}.npy"
    for path in (lab.runs / "looks" / file, *([lab.looks / file] if lab.looks else [])):
        if path.exists():
            return torch.from_numpy(np.load(path)).float()
    batches = (range(at, min(at + AT_ONCE, size)) for at in range(0, size, AT_ONCE))
    found = torch.cat(
        [lab.clip.of_pictures([lab.picture(split, n) for n in batch]) for batch in batches]
    )
    # Half of it is enough to choose pictures by, whether it was just made or read again.
    kept = io.BytesIO()
    np.save(kept, found.half().numpy())
    written(lab.runs / "looks" / file, kept.getvalue())
    return found.half().float()
