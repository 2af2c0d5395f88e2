"""How often the intervals of the sealed verification cover the truth.

    python -m benchmarks.coverage [-n 8] [--repeats 200] [--pool 1500] [--seed 0] [--json]

Planted features, each with its right label and with another feature's. The truth is the value over
a whole pool of fresh pictures, kind by kind; what stands against it are many small samples drawn
from the pool as the verification draws: as many from each quarter of the firing ones, and silent
ones by chance, alike, of a neighbour, and nearly fitting. The detector scores the pool once.

Shapes: N pictures of the pool, F features, E entries of an embedding.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.verification.sample import ENOUGH, PER_QUARTER, QUARTERS, RIVALS, SILENT
from benchmarks.one_line import in_one_line
from sae_core.scoring.detection import detection
from tools.backends.clip import Clip
from tools.backends.clipseg import ClipSeg
from tools.foretelling import best_threshold
from toybox.measures import Estimate, share
from toybox.models import WEIGHTS
from toybox.planted import PlantedObserver
from toybox.tags import tagged
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

AT_ONCE = 32
NEAREST = 0.05
"""The share of the silent pictures that counts as alike, and as nearly fitting."""
NOMINAL = "0.90 to 0.99"


class Kind(NamedTuple):
    """Pictures of the pool of which so many are drawn."""

    numbers: np.ndarray
    count: int


class Case(NamedTuple):
    """A label of a feature on the pool."""

    label: str
    right: bool
    score_N: np.ndarray
    threshold: float
    firing: tuple[Kind, ...]
    silent: tuple[Kind, ...]


class Truth(NamedTuple):
    """What a sample of any size would give."""

    balanced_accuracy: float
    auroc: float


class Pool:
    """Fresh pictures, with everything about them that doesn't depend on a label."""

    def __init__(self, size: int, seed: int) -> None:
        first = 10**6 + seed * size
        scenes = (fresh_scene(first + number) for number in range(size))
        self.pictures = [tagged(draw_scene(scene)) for scene in scenes]
        self.observer = PlantedObserver(seed)
        self.clip, self.grounder = Clip.load(WEIGHTS / "clip"), ClipSeg.load(WEIGHTS / "grounder")
        batches = track(list(_batches(self.pictures)), "pool", console=Console(stderr=True))
        rows = [(self._means(some), self.clip.of_pictures(some)) for some in batches]
        self.mean_NF = np.concatenate([mean for mean, _ in rows])
        self.look_NE = torch.cat([look for _, look in rows]).numpy()

    def _means(self, some: list[Image.Image]) -> np.ndarray:
        return np.stack([self.observer.values(picture).mean(0) for picture in some])

    def scores(self, label: str) -> np.ndarray:
        """How sure the grounder is of a label on each picture [N]."""
        found = [
            max(one.scores, default=0.0)
            for some in _batches(self.pictures)
            for one in self.grounder.locate(some, [label] * len(some))
        ]
        return np.array(found)


def _batches(pictures: list[Image.Image]) -> Iterator[list[Image.Image]]:
    return (pictures[at : at + AT_ONCE] for at in range(0, len(pictures), AT_ONCE))


def cases(pool: Pool, n: int, seed: int) -> Iterator[Case]:
    """Of so many features the right label and another's."""
    rng = np.random.default_rng((81, seed))
    often_F = (pool.mean_NF > 0).sum(0)
    planted = pool.observer.planted
    singles = [
        number
        for number, one in enumerate(planted)
        if one.rule == "single" and often_F[number] >= ENOUGH * QUARTERS
    ][:n]
    for feature in track(singles, "labels", console=Console(stderr=True)):
        other = planted[rng.choice([one for one in singles if one != feature])]
        for label in (planted[feature].label, other.label):
            yield _case(pool, feature, label, rng)


def _case(pool: Pool, feature: int, label: str, rng: np.random.Generator) -> Case:
    mean_N = pool.mean_NF[:, feature]
    order = np.argsort(mean_N, kind="stable")
    fires = order[mean_N[order] > 0]
    quarters = tuple(Kind(part, PER_QUARTER) for part in np.array_split(fires, QUARTERS))
    silent = np.flatnonzero(mean_N == 0)
    own_E = pool.look_NE[fires].mean(0)
    text_E = pool.clip.of_texts([label])[0].numpy()
    both_F = (pool.mean_NF[fires] > 0).mean(0)
    both_F[feature] = -1
    neighbour_N = pool.mean_NF[silent, int(both_F.argmax())] > 0
    kinds = (
        Kind(silent, SILENT),
        Kind(_nearest(silent, pool.look_NE, own_E), SILENT),
        Kind(silent[neighbour_N], SILENT),
        Kind(_nearest(silent, pool.look_NE, text_E), RIVALS),
    )
    made = Case(
        label=label,
        right=label == pool.observer.planted[feature].label,
        score_N=pool.scores(label),
        threshold=0.0,
        firing=quarters,
        silent=tuple(kind for kind in kinds if len(kind.numbers) >= 2 * kind.count),
    )
    return made._replace(threshold=best_threshold(*sampled(made, rng)))


def _nearest(numbers: np.ndarray, look_NE: np.ndarray, to_E: np.ndarray) -> np.ndarray:
    near = look_NE[numbers] @ to_E
    return numbers[np.argsort(-near, kind="stable")[: int(NEAREST * len(look_NE))]]


def sampled(case: Case, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What the detector says on one sample, and whether the feature fires there."""
    firing, silent = (
        # Put back each time, as if the pool were without end.
        np.concatenate([rng.choice(one.numbers, one.count) for one in kinds])
        for kinds in (case.firing, case.silent)
    )
    fires_N = np.arange(len(firing) + len(silent)) < len(firing)
    return case.score_N[np.concatenate([firing, silent])], fires_N


def truth(case: Case) -> Truth:
    """Over all pictures of each kind, each kind as heavy as in a sample."""
    above, below = (_weighed(case, kinds) for kinds in (case.firing, case.silent))
    (score_P, weight_P), (score_Q, weight_Q) = above, below
    recall = weight_P @ (score_P >= case.threshold)
    spared = weight_Q @ (score_Q < case.threshold)
    beaten_PQ = (score_P[:, None] > score_Q) + 0.5 * (score_P[:, None] == score_Q)
    values = ((recall + spared) / 2, weight_P @ beaten_PQ @ weight_Q)
    # Weights add up to 1 within rounding only, and what is always right must not exceed that.
    return Truth(*(round(float(value), 9) for value in values))


def _weighed(case: Case, kinds: tuple[Kind, ...]) -> tuple[np.ndarray, np.ndarray]:
    total = sum(one.count for one in kinds)
    weights = [np.full(len(one.numbers), one.count / total / len(one.numbers)) for one in kinds]
    return case.score_N[np.concatenate([one.numbers for one in kinds])], np.concatenate(weights)


def covered(case: Case, repeats: int, seed: int) -> dict[str, list[bool]]:
    """For each sample, whether each interval holds the truth."""
    rng, real = np.random.default_rng((82, seed)), truth(case)
    found: dict[str, list[bool]] = {name: [] for name in Truth._fields}
    for repeat in range(repeats):
        measured = detection(*sampled(case, rng), case.threshold, repeat)
        for name, inside in found.items():
            score = getattr(measured, name)
            inside.append(score.low <= getattr(real, name) <= score.high)
    return found


def measure(n: int, repeats: int, size: int, seed: int) -> dict[str, Estimate]:
    """How often the intervals cover."""
    pool = Pool(size, seed)
    all_inside: dict[str, list[bool]] = {}
    for case in cases(pool, n, seed):
        for name, inside in covered(case, repeats, seed).items():
            which = "right labels" if case.right else "other labels"
            all_inside.setdefault(f"{name}, {which}", []).extend(inside)
            all_inside.setdefault("all", []).extend(inside)
    return {name: share(inside) for name, inside in all_inside.items()}


@in_one_line()
def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-n", type=int, default=8, help="features")
    parser.add_argument("--repeats", type=int, default=200, help="samples of each label")
    parser.add_argument("--pool", type=int, default=1500, help="pictures that tell the truth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.n, given.repeats, given.pool, given.seed)
    if given.json:
        print(json.dumps({name: value._asdict() for name, value in found.items()}, indent=1))
        return
    table = Table("95 % intervals of", "cover", "95 % interval", "bar", "n")
    for name, value in found.items():
        between = f"{value.low:.3f} to {value.high:.3f}"
        table.add_row(name, f"{value.value:.3f}", between, NOMINAL, str(value.n))
    Console().print(table)


if __name__ == "__main__":
    main()
