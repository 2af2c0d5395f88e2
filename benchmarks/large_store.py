"""Makes a store as large as a coder with 131,072 features fills it.

It is grown from a small real one: every event, call and finding is one of those, about another
feature and with another label and scores, so that documents are as long and as nested as real ones.
What it says about features is made up. Knows rows; nothing of who reads them.
"""

from __future__ import annotations

import random
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agent.plan import Label, Plan
from agent.store import Reader
from agent.store.database import FindingsFile
from agent.store.records import stamp
from agent.store.vectors import packed
from benchmarks.feature_templates import Filled, Job, Row, Template, label_of, templates
from sae_core.errors import UserError

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 500
"""How many findings are written at a time."""
SMALL_RUNS = 300
"""Runs about one feature each; all other findings come from batches."""
LARGEST = 5000
"""How many features a batch has at most."""


class Sizes(NamedTuple):
    """How much of everything."""

    features: int = 131_072
    findings: int = 50_000
    events: int = 2_000_000
    calls: int = 200_000
    verdicts: int = 2_000
    width: int = 512
    """Of a label's vector."""
    seed: int = 0


def grow(folder: Path, small: Path, sizes: Sizes) -> None:
    """Make the store in a folder from the small store in another."""
    path = folder / "findings.db"
    if path.exists():
        raise UserError(f"There is a store in {folder} already. Use it, or choose another folder")
    if sizes.events < 4 * sizes.findings or sizes.findings > sizes.features:
        raise UserError(
            f"{sizes.findings} findings need as many features and four times as many events, not "
            f"{sizes.features} and {sizes.events}. Give fewer --findings"
        )
    with Reader(small) as reader:
        known = [*templates(reader)]
        runs = reader.rows("SELECT * FROM runs WHERE status = 'done' LIMIT 1")
    if not known or not runs:
        raise UserError(f"{small} has no finding about a feature to grow a store from")
    shutil.copytree(small / "artefacts", folder / "artefacts", dirs_exist_ok=True)
    part = folder / "growing.db"
    part.unlink(missing_ok=True)  # of a try that was interrupted
    file = FindingsFile(part, write=True, workers=lambda: "another program")
    for setting in ("journal_mode = OFF", "foreign_keys = OFF", "cache_size = -500000"):
        file.rows(f"PRAGMA {setting}")
    with file.change() as db:
        for table, rows in _tables(known, runs[0], sizes):
            _insert(db.conn, table, rows)
        db.execute("INSERT INTO overview SELECT * FROM overview_rows")
        for table, rows in _said(db.conn, sizes):
            _insert(db.conn, table, rows)
    file.rows("PRAGMA journal_mode = WAL")
    file.close()
    part.rename(path)


def _tables(
    known: Sequence[Template], run: Row, sizes: Sizes
) -> Iterator[tuple[str, Sequence[Row]]]:
    """Rows of all tables, a few thousand at a time."""
    rng = random.Random(sizes.seed)
    jobs = [*_jobs(sizes, rng)]
    features: dict[str, list[int]] = defaultdict(list)
    for job in jobs:
        features[job.run].append(job.feature)
    firsts = {job.run: job for job in reversed(jobs)}
    runs = [_run(run, job, features[job.run], n) for n, job in enumerate(firsts.values())]
    yield "runs", runs
    own = [event for one in runs for event in _own_events(one)]
    yield "events", own
    events = _shares(sizes.events - len(own), len(jobs))
    calls = _shares(sizes.calls, len(jobs))
    number = 0
    # What took long is the rule in a large coder; features that hardly fire are soon done with.
    lengths = [len(one.document) for one in known]
    work = zip(jobs, events, calls, strict=True)
    while chunk := list(islice(work, AT_ONCE)):
        rows: dict[str, list[Row]] = defaultdict(list)
        for job, of_events, of_calls in chunk:
            template, label = rng.choices(known, lengths)[0], label_of(rng)
            filled = Filled(template, job, label)
            for name, found in filled.events(of_events):
                rows[name] += found
            for name, found in filled.calls(of_calls, number):
                rows[name] += found
            for name, found in filled.finding(rng):
                rows[name] += found
            number += of_calls
        yield from rows.items()


def _jobs(sizes: Sizes, rng: random.Random) -> Iterator[Job]:
    """Small runs and batches in turns; one finding in twenty is about a feature once more."""
    small = min(SMALL_RUNS, sizes.findings)
    batches = -(-(sizes.findings - small) // LARGEST)
    lengths = [1] * small + _shares(sizes.findings - small, batches)
    rng.shuffle(lengths)
    fresh = iter(rng.sample(range(sizes.features), min(sizes.findings, sizes.features)))
    seen: list[int] = []
    at = BEGAN
    for n, length in enumerate(lengths):
        run = f"{at:%m%d-%H%M%S}-{n:04x}"
        known = rng.sample(seen, min(len(seen), length // 20))
        features = [*known, *islice(fresh, length - len(known))]
        rng.shuffle(features)
        seen += features
        for place, feature in enumerate(features):
            yield Job(run, f"0/{feature}", feature, at + timedelta(seconds=12 * place + 5))
        at += timedelta(seconds=12 * length + rng.randrange(3600))


def _run(run: Row, job: Job, features: list[int], number: int) -> Row:
    """A run; one in ten ended in another way."""
    plan = Plan(tasks=(Label(features=tuple(dict.fromkeys(features))),))
    odd = ("paused", "failed", "running", "aborted")[number // 10 % 4]
    question = f"what does feature {features[0]} respond to?"
    if len(features) > 1:
        question = f"label {len(features)} features, beginning with {features[0]}"
    return {
        **run,
        "id": job.run,
        "question": question,
        "status": odd if number % 10 == 9 else "done",
        "began": stamp(job.began),
        "ended": stamp(job.began + timedelta(seconds=12 * len(features) + 40)),
        "plan": plan.model_dump_json(),
        "answer": "\n".join(f"- feature {one}: see its finding" for one in features[:50]),
    }


def _own_events(run: Row) -> Iterator[Row]:
    """What a run says of itself."""
    for step, (who, kind, text) in enumerate(
        [
            ("planner", "asked", run["question"]),
            ("planner", "plan", run["question"]),
            ("answer", "answer", run["answer"]),
        ]
    ):
        yield {
            "run": run["id"], "unit": "run", "step": step, "place": 0, "who": who, "kind": kind,
            "text": text, "tool": None, "arguments": None, "result": None, "artefacts": "[]",
            "calls": 0, "cached": 0, "tokens": 0, "seconds": 0.1, "money": 0.0,
            "at": run["began"] if step < 2 else run["ended"],
        }  # fmt: skip


def _said(db: Any, sizes: Sizes) -> Iterator[tuple[str, Sequence[Row]]]:
    """What people think of some findings, and what labels mean to an encoder."""
    rng = random.Random(sizes.seed + 1)
    found = [row[0] for row in db.execute("SELECT finding FROM overview ORDER BY number")]
    yield "verdicts", [
        {
            "finding": rng.choice(found), "reviewer": f"reviewer {n % 5}",
            "score": rng.randint(1, 5), "tags": "[]", "note": "", "at": stamp(BEGAN),
        }
        for n in range(sizes.verdicts)
    ]  # fmt: skip
    query = "SELECT DISTINCT label FROM overview WHERE label IS NOT NULL ORDER BY label"
    labels = [row[0] for row in db.execute(query)]
    numbers = np.random.default_rng(sizes.seed)
    for begin in range(0, len(labels), AT_ONCE):
        some = labels[begin : begin + AT_ONCE]
        vectors_ND = packed(numbers.standard_normal((len(some), sizes.width), dtype=np.float32))
        yield (
            "vectors",
            [
                {"encoder": "noise", "label": label, "vector": vector}
                for label, vector in zip(some, vectors_ND, strict=True)
            ],
        )


def _insert(db: Any, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        marks = ", ".join(f":{name}" for name in names)
        db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)


def _shares(whole: int, count: int) -> list[int]:
    """A number cut into so many that differ by one at most."""
    return [(n + 1) * whole // count - n * whole // count for n in range(count)]
