"""Workers, and places that serve in order of arrival: how long a million features take.

Every leg of every feature is gone through, in the order of time; nothing is averaged. What it comes
to equals `benchmarks.simulate.replay`, which lets the batch's own code do it, much slower.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from heapq import heappop, heapreplace
from typing import NamedTuple

from benchmarks.simulate.recorded import PLACES, Leg, Place, Recorded


class Setup(NamedTuple):
    """How many of everything there are."""

    workers: int
    replicas: int
    """Servers of the explainer."""
    concurrency: int
    """Calls that each of them answers at the same time."""
    targets: int
    """GPUs that hold the target."""

    def servers(self, place: Place) -> int:
        """How many a place serves at the same time. There is one writer, by design."""
        slots = self.replicas * self.concurrency
        return {"explainer": slots, "target": self.targets, "writer": 1}[place]


class Outcome(NamedTuple):
    """What a batch took."""

    setup: Setup
    features: int
    seconds: float
    busy: dict[Place, float]
    """The share of its time that each place works."""

    @property
    def per_hour(self) -> float:
        """Features an hour."""
        return 3600 * self.features / self.seconds

    @property
    def bottleneck(self) -> str:
        """What everybody waits for; `workers` where every place has time to spare."""
        place = max(PLACES, key=lambda one: self.busy[one])
        return place if self.busy[place] > 0.9 else "workers"


def drawn(recorded: Recorded, features: int, seed: int) -> Iterator[int]:
    """Which recorded feature stands for each one of a batch."""
    draw, count = random.Random(seed).random, len(recorded.features)
    return (int(draw() * count) for _ in range(features))


def batch(recorded: Recorded, features: int, setup: Setup, seed: int = 0) -> Outcome:
    """Let a batch go by."""
    free = {place: [0.0] * setup.servers(place) for place in PLACES}
    known = [
        [(free[leg.place], leg.seconds, leg.times) for leg in one] for one in recorded.features
    ]
    taken = [0] * len(known)
    ended = _gone_through(known, taken, drawn(recorded, features, seed), setup.workers)
    busy: dict[Place, float] = {}
    for place in PLACES:
        works = [_work(one, place) for one in recorded.features]
        total = sum(work * times for work, times in zip(works, taken, strict=True))
        busy[place] = total / (ended * setup.servers(place))
    return Outcome(setup, features, ended, busy)


def _gone_through(
    known: list[list[tuple[list[float], float, int]]],
    taken: list[int],
    wanted: Iterator[int],
    workers: int,
) -> float:
    """When the last worker ends. Written for speed: the loop runs tens of millions of times."""
    # The earliest first; who asks at the same time is served in the order of workers.
    asking: list[tuple[float, int]] = [(0.0, worker) for worker in range(workers)]
    legs: list[Iterator[tuple[list[float], float, int]]] = [iter(()) for _ in range(workers)]
    ended = 0.0
    while asking:
        now, worker = asking[0]
        leg = next(legs[worker], None)
        if leg is None:
            which = next(wanted, None)
            if which is None:
                ended = max(ended, now)
                heappop(asking)
                continue
            taken[which] += 1
            legs[worker] = iter(known[which])
            continue
        free, seconds, times = leg
        if len(free) == 1:
            end = free[0] = (free[0] if free[0] > now else now) + seconds * times
        else:
            end = now
            for _ in range(times):
                first = free[0]
                end = (first if first > now else now) + seconds
                heapreplace(free, end)
        heapreplace(asking, (end, worker))
    return ended


def _work(legs: tuple[Leg, ...], place: Place) -> float:
    return sum(leg.work for leg in legs if leg.place == place)


def helping(recorded: Recorded, setup: Setup, features: int = 2000, seed: int = 0) -> list[Outcome]:
    """The same with 1, 2, 4, ... workers, until twice as many bring less than a twentieth."""
    found = [batch(recorded, features, setup._replace(workers=1), seed)]
    while True:
        twice = found[-1].setup._replace(workers=2 * found[-1].setup.workers)
        found.append(batch(recorded, features, twice, seed))
        if found[-1].per_hour < 1.05 * found[-2].per_hour or twice.workers > features / 4:
            return found
