"""Sparse codes of pictures, drawn the same in every environment, and the record of who keeps them.

A picture lights some features, frequent ones more often than rare ones, and each of its cells the
k strongest of them. Runs inside a peer's own environment, so it imports nothing but torch.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from common import peak_megabytes
from torch import Tensor

TOP = 5
LIT = 8
"""A picture lights so many times k features."""


class Codes(NamedTuple):
    """What fires on some pictures. B pictures, P cells, K slots."""

    picture_B: Tensor
    value_BPK: Tensor
    index_BPK: Tensor

    def dense(self, features: int) -> Tensor:
        """With a place for every feature, as peers want it."""
        places_BPF = torch.zeros(*self.value_BPK.shape[:2], features)
        return places_BPF.scatter_(2, self.index_BPK, self.value_BPK)


class Best(NamedTuple):
    """A feature's pictures with the largest means over all cells."""

    feature: int
    pictures: list[int]
    means: list[float]


class Caching:
    """The setting, the codes, and a clock that stands still while codes are drawn.

    It counts the processor's time, on which other jobs of a busy machine have little influence.
    """

    def __init__(self) -> None:
        self.setting: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
        torch.set_num_threads(self.setting["threads"])
        self.folder = Path(self.setting["folder"])
        self.often_F = 1 / torch.arange(1, self["features"] + 1).sqrt()
        self.codes(range(self["batch"]))
        self.before = peak_megabytes()
        self.drawing = 0.0
        self.marks = [self._now()]

    def __getitem__(self, name: str) -> Any:
        return self.setting[name]

    def _now(self) -> float:
        return time.process_time() - self.drawing

    def codes(self, numbers: Iterable[int]) -> Codes:
        """Those of some pictures, which depend on their numbers alone."""
        drawn = [self._picture(number) for number in numbers]
        value_BPK, index_BPK = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        return Codes(torch.tensor(list(numbers)), value_BPK, index_BPK)

    def _picture(self, number: int) -> tuple[Tensor, Tensor]:
        draw = torch.Generator().manual_seed(self["seed"] * 1_000_003 + number)
        lit = min(self["features"], LIT * self["k"])
        feature_S = torch.multinomial(self.often_F, lit, generator=draw)
        strength_S = torch.rand(lit, generator=draw) + 0.2
        value_PS = strength_S * torch.rand(self["cells"], lit, generator=draw)
        value_PK, slot_PK = value_PS.topk(self["k"])
        return value_PK, feature_S[slot_PK]

    def batches(self, span: range | None = None) -> Iterator[Codes]:
        """All codes, or those of a range of pictures."""
        span = range(self["pictures"]) if span is None else span
        for first in range(span.start, span.stop, self["batch"]):
            began = time.process_time()
            made = self.codes(range(first, min(first + self["batch"], span.stop)))
            self.drawing += time.process_time() - began
            yield made

    def cached(self) -> None:
        """Everything is on disk; what follows is choosing pictures."""
        self.marks.append(self._now())

    def finish(self, best: Iterable[Best]) -> None:
        """Write down the pictures chosen, and print what it took."""
        chosen = [one._asdict() for one in best]
        self.marks.append(self._now())
        peak = peak_megabytes()
        Path(self["chosen"]).write_text(json.dumps(chosen))
        began, cached, ended = self.marks
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        print(
            json.dumps(
                {
                    "caching": cached - began,
                    "choosing": ended - cached,
                    "more_megabytes": peak - self.before,
                    "disk_megabytes": size / 1e6,
                }
            )
        )


def best_of(feature: int, location_M2: Tensor, value_M: Tensor, shape: tuple[int, int]) -> Best:
    """The published choice: one feature's activations made dense, and ranked by the mean."""
    sparse_NP = torch.sparse_coo_tensor(location_M2.T, value_M, shape, check_invariants=False)
    dense_NP = sparse_NP.to_dense()
    mean_N = dense_NP.float().mean(1)
    top = mean_N.topk(min(TOP, len(mean_N)))
    means, pictures = top.values.tolist(), top.indices.tolist()
    fires = [place for place, mean in enumerate(means) if mean > 0]
    return Best(feature, [pictures[n] for n in fires], [means[n] for n in fires])
