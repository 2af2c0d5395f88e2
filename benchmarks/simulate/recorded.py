"""What features took in a real batch: their legs, read from a run's store, and kept as JSON.

A leg is a stretch of a feature's investigation at one place: the explainer's server, the machine
that holds the target and the other models, the one writer. Knows stores; nothing of schedules.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from agent.events import Event
from agent.findings import Provenance
from agent.running import options_of
from agent.store import Reader, Store
from benchmarks.simulate.asked import Asked, asked
from sae_core.errors import UserError

Place = Literal["explainer", "target", "writer"]
PLACES: tuple[Place, ...] = ("explainer", "target", "writer")
MEASURED = Path(__file__).with_name("measured.json")
ASKING = ("explain", "refine", "categorise")
"""The tools that do nothing but ask the explainer's server."""
JUDGING = "score"
"""The tool that asks the judge there, and does more. What others ask runs beside the target."""
PLACES_KEPT = 6
"""Of a second's decimals: with fewer, several would end at the same time, and who is first then is
chance."""
WRITTEN = 500
"""So many events are written to find out what one takes,"""
TRIES = 3
"""so many times."""


class Leg(NamedTuple):
    """A stretch of work."""

    place: Place
    seconds: float
    """Of one call, of all work on the target, of one event written."""
    times: int = 1
    """Calls that are made at the same time; events that are written one after the other."""

    @property
    def work(self) -> float:
        """What the place has to do."""
        return self.seconds * self.times


class Recorded(BaseModel):
    """Features of a real batch."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    how: str
    """How it was measured."""
    workers: int
    per_minute: float
    """Features a minute, by the clock."""
    database_megabytes: float
    """That a feature leaves in the store."""
    artefact_megabytes: float
    """That it leaves beside it: pictures, masks and documents."""
    asked: Asked
    features: tuple[tuple[Leg, ...], ...]

    def mean(self, place: Place) -> float:
        """Seconds of work at a place that a feature takes."""
        return sum(leg.work for one in self.features for leg in one if leg.place == place) / len(
            self.features
        )

    def calls(self) -> float:
        """How often a feature asks the explainer's server."""
        times = [leg.times for one in self.features for leg in one if leg.place == "explainer"]
        return sum(times) / len(self.features)

    def with_means(self, **wanted: float | None) -> Recorded:
        """The same features with other means: seconds of a call, of a feature's work, of an event.

        Longer ones stay longer, as before: only the unit changes.
        """
        factors = dict.fromkeys(PLACES, 1.0)
        for place in PLACES:
            if (mean := wanted.get(place)) is not None:
                factors[place] = mean / self._unit(place)
        scaled = (
            tuple(leg._replace(seconds=leg.seconds * factors[leg.place]) for leg in one)
            for one in self.features
        )
        return self.model_copy(update={"features": tuple(scaled)})

    def _unit(self, place: Place) -> float:
        """What `with_means` sets: of the target a feature's work, of the others one time."""
        legs = [leg for one in self.features for leg in one if leg.place == place]
        count = len(self.features) if place == "target" else sum(leg.times for leg in legs)
        return sum(leg.work for leg in legs) / count


def measured() -> Recorded:
    """The batch that is kept beside this file."""
    return Recorded.model_validate_json(MEASURED.read_text(encoding="utf-8"))


def read(runs: Path) -> Recorded:
    """The features of a folder's largest run, and what writing an event takes here."""
    with Reader(runs) as store:
        run = store.rows("SELECT run, count(*) AS n FROM findings GROUP BY run ORDER BY n DESC")
        if not run:
            raise UserError(f"{runs} holds no findings. Try lmmscope batch --features 0-9 first")
        name = run[0]["run"]
        write = _writing(store, name)
        legs, done = _legs(store, name, write), _findings(store, name)
        features = tuple(
            legs[f"0/{row['feature']}"] for row in done if f"0/{row['feature']}" in legs
        )
        ends = [row["at"] for row in done]
        began = store.rows("SELECT min(at) AS at FROM events WHERE run = ? AND step = 1", (name,))
        minutes = _minutes(began[0]["at"], max(ends))
        wanted = asked(store, name, len(done))
        workers = int(options_of(store, name).get("workers", 1))
    return Recorded(
        how=f"{len(features)} features of a batch with {workers} workers, run {name}",
        workers=workers,
        per_minute=len(features) / minutes,
        database_megabytes=round((runs / "findings.db").stat().st_size / 1e6 / len(ends), 3),
        artefact_megabytes=round(_size(runs / "artefacts") / 1e6 / len(ends), 3),
        asked=wanted,
        features=features,
    )


def _legs(store: Reader, run: str, write: float) -> dict[str, tuple[Leg, ...]]:
    """Each feature's legs: every step's, and then the writing of it."""
    called, found = _called(store, run), dict[str, list[Leg]]()
    for step, events in groupby(_events(store, run), lambda row: (row["unit"], row["step"])):
        calls, legs, worked, rows = called.get(step), found.setdefault(step[0], []), 0.0, 0
        for row in events:
            rows += 1
            asked = _asked(row, calls)
            # What is done at one place without leaving it is one leg.
            worked += row["seconds"] - asked
            if row["calls"] and asked:
                legs += [Leg("target", round(worked, PLACES_KEPT))] if worked else []
                legs.append(Leg("explainer", round(asked, PLACES_KEPT), row["calls"]))
                worked = 0.0
        legs += [Leg("target", round(worked, PLACES_KEPT))] if worked else []
        legs.append(Leg("writer", write, rows + (calls.rows if calls else 0)))
    return {unit: tuple(legs) for unit, legs in found.items()}


def _asked(row: dict[str, Any], calls: _Calls | None) -> float:
    """The seconds of an event in which it waited for the explainer's server."""
    if row["tool"] in ASKING:
        return row["seconds"] if row["calls"] else 0.0
    if row["tool"] == JUDGING and calls and row["calls"]:
        return min(row["seconds"], calls.judging)
    return 0.0


class _Calls(NamedTuple):
    """The calls of a step."""

    rows: int
    judging: float
    """Seconds of one of the judge's, which are made at the same time, on the mean."""


def _called(store: Reader, run: str) -> dict[tuple[str, int], _Calls]:
    query = """
      SELECT unit, step, count(*) AS n,
        coalesce(avg(CASE WHEN role = 'judge' AND calls THEN seconds END), 0) AS judging
      FROM calls WHERE run = ? GROUP BY unit, step"""
    return {
        (row["unit"], row["step"]): _Calls(row["n"], row["judging"])
        for row in store.rows(query, (run,))
    }


def _events(store: Reader, run: str) -> list[dict[str, Any]]:
    """Those of features in order; what only tells of others took no time of its own."""
    query = """
      SELECT unit, step, tool, calls,
        CASE WHEN kind IN ('tool', 'failure') THEN seconds ELSE 0 END AS seconds
      FROM events WHERE run = ? AND unit LIKE '0/%' ORDER BY unit, step, place"""
    return store.rows(query, (run,))


def _findings(store: Reader, run: str) -> list[dict[str, str]]:
    return store.rows("SELECT feature, at FROM findings WHERE run = ? ORDER BY at", (run,))


def _minutes(began: str, ended: str) -> float:
    lasted = datetime.fromisoformat(ended) - datetime.fromisoformat(began)
    return lasted.total_seconds() / 60


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _writing(store: Reader, run: str) -> float:
    """Processor seconds that writing one of this run's events takes, in a store of its own.

    The least of some tries: what else the machine does only adds to it.
    """
    events = [one for one in store.events(run) if one.unit != "run"][:WRITTEN]
    provenance = store.run(run).provenance
    return round(min(_written(events, run, provenance) for _ in range(TRIES)), 6)


def _written(events: Sequence[Event], run: str, provenance: Provenance) -> float:
    with tempfile.TemporaryDirectory() as room, Store(Path(room)) as fresh:
        fresh.begin(run, "?", provenance, pid=os.getpid())
        began = time.process_time()
        for event in events:
            fresh.hear(event)
        return (time.process_time() - began) / len(events)
