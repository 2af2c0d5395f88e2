"""What is in the store, for whoever only reads: the review application, lists, transcripts.

Knows queries; writes nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from agent.events import Event
from agent.findings import Discovery, FeatureFinding, Finding
from agent.plan import Plan
from agent.store.database import PATIENCE, FindingsFile, Row
from agent.store.locks import Lock
from agent.store.records import RunRecord, StepCost, Verdict, stamp
from agent.store.rows import call_of, cost_of, event_of, ids_in, verdict_of
from agent.store.search import labels_like, texts_like
from agent.transcript import Call
from sae_core.errors import UserError
from tools.artefacts import ArtefactId, Artefacts
from tools.evidence import Evidence
from tools.labels import Known, Match

_FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)


class Reader:
    """The store of a runs folder, for reading."""

    _writes = False

    def __init__(self, runs: Path, *, patience: float = PATIENCE) -> None:
        self.runs, self.path = runs, runs / "findings.db"
        self.artefacts = Artefacts(runs / "artefacts")
        self._patience = patience
        self._file = self._opened(self._writes)
        if not self._writes and self._file.old:
            # Tables are missing that queries need: they are added once, as a writer would.
            self.close()
            self._opened(write=True).close()
            self._file = self._opened(write=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a query of one's own finds, for lists; documents have methods."""
        return self._file.rows(query, values)

    def runs_begun(self) -> tuple[RunRecord, ...]:
        """All runs, the latest first."""
        rows = self._file.rows(_runs("1") + " ORDER BY r.began DESC, r.rowid DESC")
        return tuple(self._record(row) for row in rows)

    def run(self, name: str) -> RunRecord:
        """A run by its id or the beginning of it."""
        known = self._meant("runs", name, "run")
        (row,) = self._file.rows(_runs("r.id = ?"), (known,))
        return self._record(row)

    def events(self, run: str) -> tuple[Event, ...]:
        """What happened in a run, in order."""
        rows = self._file.rows("SELECT * FROM events WHERE run = ? ORDER BY rowid", (run,))
        return tuple(event_of(row) for row in rows)

    def calls(self, run: str, role: str | None = None, unit: str | None = None) -> tuple[Call, ...]:
        """What models were asked in a run, in order; of one role, for one unit where given."""
        given = {"run": run, "role": role, "unit": unit}
        wanted = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in wanted)
        rows = self._file.rows(
            f"SELECT * FROM calls WHERE {where} ORDER BY id", tuple(wanted.values())
        )
        return tuple(call_of(row) for row in rows)

    def step_costs(self, run: str) -> tuple[StepCost, ...]:
        """What each step of a run took."""
        rows = self._file.rows("SELECT * FROM step_costs WHERE run = ?", (run,))
        return tuple(StepCost(row["unit"], row["step"], cost_of(row)) for row in rows)

    def done(self, key: str, before: datetime | None = None) -> Finding | None:
        """The latest answer to what has this key; the latest before a time where one is given."""
        if before is None:
            return self._newest("WHERE key = ?", key)
        return self._newest("WHERE key = ? AND at < ?", key, stamp(before))

    def latest(self, feature: int, coder: str) -> FeatureFinding | None:
        """The latest finding about a feature of a coder."""
        found = self._newest("WHERE coder = ? AND feature = ?", coder, feature)
        assert found is None or isinstance(found, FeatureFinding)
        return found

    def newest(self) -> Finding | None:
        """The latest finding of all."""
        return self._newest("")

    def finding(self, name: str) -> Finding:
        """A finding by its id or the beginning of it."""
        known = self._meant("findings", name, "finding")
        (row,) = self._file.rows("SELECT id, document FROM findings WHERE id = ?", (known,))
        return self._read(row)

    def findings(self, run: str) -> tuple[Finding, ...]:
        """What a run has found out, in order."""
        rows = self._file.rows(
            "SELECT id, document FROM findings WHERE run = ? ORDER BY rowid", (run,)
        )
        return tuple(self._read(row) for row in rows)

    def evidence(self, name: ArtefactId) -> Evidence:
        """An evidence document; WontWork if there is none of this name."""
        return self.artefacts.document(name, Evidence)

    def seals(self, before: datetime) -> tuple[Row, ...]:
        """Which sealed pictures were opened before a time, for what."""
        query = "SELECT * FROM seals WHERE at < ? ORDER BY at"
        return tuple(self._file.rows(query, (stamp(before),)))

    def verdicts(self, finding: str) -> tuple[Verdict, ...]:
        """What people think of a finding, in order."""
        rows = self._file.rows("SELECT * FROM verdicts WHERE finding = ? ORDER BY id", (finding,))
        return tuple(verdict_of(row) for row in rows)

    def discoveries(self, finding: str) -> tuple[Discovery, ...]:
        """How a finding stands in each batch that it is one of, the latest last."""
        query = (
            "SELECT d.* FROM discoveries AS d JOIN runs AS r ON r.id = d.run "
            "WHERE d.finding = ? ORDER BY r.began"
        )
        named = Discovery.model_fields
        rows = self._file.rows(query, (finding,))
        return tuple(Discovery(**{name: row[name] for name in named}) for row in rows)

    def search(self, words: str, count: int, *, coder: str | None = None) -> list[Match]:
        """Features whose supported labels fit best; of one coder where it is given."""
        return labels_like(self._file, words, count, coder)

    def known(
        self,
        words: str | None = None,
        *,
        status: str | None = None,
        feature: int | None = None,
        count: int = 10,
        coder: str | None = None,
    ) -> list[Known]:
        """The findings that stand, those that fit some words best first."""
        return texts_like(
            self._file, words, status=status, feature=feature, count=count, coder=coder
        )

    def live(self) -> tuple[RunRecord, ...]:
        """The runs that some process works on now."""
        rows = self._file.rows(_runs("r.status = 'running'") + " ORDER BY r.began DESC")
        return tuple(one for one in map(self._record, rows) if one.alive)

    def referenced(self) -> set[str]:
        """All artefacts that events, calls and findings speak of."""
        rows = self._file.rows(
            "SELECT artefact FROM artefacts UNION SELECT artefact FROM evidence "
            "UNION SELECT artefact FROM shown"
        )
        named = {row["artefact"] for row in rows}
        # A plan may ask about a picture that nothing has looked at yet.
        plans = self._file.rows("SELECT plan FROM runs WHERE plan IS NOT NULL")
        return named.union(*(ids_in(row["plan"]) for row in plans))

    def report(self) -> str:
        """How things stand, in Markdown."""
        runs = self.runs_begun()
        if not runs:
            return "There were no runs yet."
        lines = [f"{len(runs)} runs: {_tally(Counter(one.standing for one in runs))}."]
        found = self._file.rows(
            "SELECT status, count(*) AS n FROM overview WHERE stands = 1 "
            "GROUP BY status ORDER BY min(number)"
        )
        if found:
            tally = Counter({row["status"]: row["n"] for row in found})
            lines.append(f"{tally.total()} findings: {_tally(tally)}.")
        cost = runs[0].cost
        for one in runs[1:]:
            cost = cost.plus(one.cost)
        paid = f", {cost.money:.2f} paid" if cost.money else ""
        lines.append(
            f"Spent: {cost.calls} model calls, {cost.cached} replies from the cache, "
            f"{cost.tokens} tokens, {cost.seconds:.0f} s of work{paid}."
        )
        lines.append(f"The latest run is {runs[0].id} ({runs[0].standing}): {runs[0].question}")
        return "\n".join(lines)

    def _opened(self, write: bool) -> FindingsFile:
        return FindingsFile(
            self.path, write=write, patience=self._patience, workers=self._other_workers
        )

    def _lock(self, run: str) -> Lock:
        return Lock(self.runs / "locks", run)

    def _meant(self, table: str, name: str, what: str) -> str:
        """The id that is meant by the beginning of it."""
        rows = self._file.rows(
            f"SELECT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id",
            (name, f"{name}{chr(sys.maxunicode)}"),
        )
        ids = [row["id"] for row in rows]
        if name in ids or (len(ids) == 1 and name):
            return name if name in ids else ids[0]
        if not ids:
            raise UserError(f"There is no {what} {name!r}. Try lmmscope runs list")
        several = ", ".join(ids[:3])
        raise UserError(f"{name!r} begins {len(ids)} {what}s ({several}, ...). Give more of it")

    def _newest(self, where: str, *values: Any) -> Finding | None:
        query = f"SELECT id, document FROM findings {where} ORDER BY at DESC, rowid DESC LIMIT 1"
        rows = self._file.rows(query, values)
        return self._read(rows[0]) if rows else None

    def _read(self, row: Row) -> Finding:
        try:
            return _FINDING.validate_json(row["document"])
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"The finding {row['id']} in {self.path} was written by another version: "
                f"{place}: {first['msg']}. Use that version, or ask again"
            ) from None

    def _record(self, row: Row) -> RunRecord:
        fields = {name: row[name] for name in ("id", "question", "profile", "status", "began")}
        return RunRecord(
            **fields,
            alive=row["status"] == "running" and self._lock(row["id"]).held(),
            ended=row["ended"],
            plan=None if row["plan"] is None else Plan.model_validate_json(row["plan"]),
            answer=row["answer"],
            pid=row["pid"],
            provenance=json.loads(row["provenance"]),
            findings=row["findings"],
            cost=cost_of(row),
        )

    def _other_workers(self) -> str:
        """Who may be writing; asked when the file is locked, so nothing here may wait for it."""
        try:
            with closing(
                sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", 0, uri=True)
            ) as db:
                rows = db.execute("SELECT id, pid FROM runs WHERE status = 'running'").fetchall()
        except sqlite3.Error:
            rows = []
        others = [
            f"process {pid} (run {run})"
            for run, pid in rows
            if pid != os.getpid() and self._lock(run).held()
        ]
        return " or ".join(others) or "another program"


def _runs(which: str) -> str:
    """The query for some runs, with what they came to so far."""
    return f"""SELECT r.*, (SELECT count(*) FROM findings WHERE run = r.id) AS findings,
      sum(u.calls) AS calls, sum(u.cached) AS cached, sum(u.tokens) AS tokens,
      sum(u.seconds) AS seconds, sum(u.money) AS money
    FROM runs AS r LEFT JOIN units AS u ON u.run = r.id WHERE {which} GROUP BY r.id"""


def _tally(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.most_common())
