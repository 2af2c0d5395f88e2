"""The store: everything that a run does and finds out, written as it happens.

It listens to events, keeps calls of models, findings and seals. Knows rows and when they belong
together; nothing of how anything is found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from agent.bundle import Bundle, Seal
from agent.events import Event
from agent.findings import Finding, Provenance
from agent.plan import Plan
from agent.store import rows
from agent.store.database import PATIENCE
from agent.store.locks import Lock
from agent.store.reader import Reader
from agent.store.records import RunStatus, Verdict, stamp
from agent.store.vectors import Matrix, packed
from agent.transcript import Call, who_asks
from sae_core.errors import UserError

_RUN = re.compile(r"\w[\w.-]{0,99}")


class Store(Reader):
    """The store of a runs folder, for writing too; made where there is none."""

    _writes = True

    def __init__(self, runs: Path, *, patience: float = PATIENCE) -> None:
        self._mine: dict[str, Lock] = {}
        super().__init__(runs, patience=patience)

    def close(self) -> None:
        """Let go of the file, and of the runs that were worked on."""
        for run in list(self._mine):
            self._let_go(run)
        super().close()

    def begin(self, run: str, question: str, provenance: Provenance, *, pid: int) -> None:
        """A run begins."""
        if not _RUN.fullmatch(run):
            raise UserError(f"{run!r} is no name for a run: use letters, digits, - and .")
        self._take(run, pid)
        try:
            with self._file.change() as db:
                if db.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone():
                    raise UserError(f"There is a run {run} already. Try lmmscope runs show {run}")
                db.table("runs").insert(
                    {
                        "id": run,
                        "question": question,
                        "profile": provenance.profile,
                        "status": "running",
                        "began": _now(),
                        "pid": pid,
                        "provenance": provenance.model_dump_json(),
                    }
                )
        except BaseException:
            self._let_go(run)
            raise

    def resumed(self, run: str, *, pid: int) -> None:
        """A run goes on; UserError while somebody else works on it."""
        known = self.run(run).id
        self._take(known, pid)
        try:
            with self._file.change() as db:
                db.execute(
                    "UPDATE runs SET status = 'running', pid = ?, ended = NULL, answer = NULL "
                    "WHERE id = ?",
                    (pid, known),
                )
        except BaseException:
            self._let_go(known)
            raise

    def planned(self, run: str, plan: Plan) -> None:
        """What a run is going to do."""
        with self._file.change() as db:
            db.execute("UPDATE runs SET plan = ? WHERE id = ?", (plan.model_dump_json(), run))

    def ended(self, run: str, status: RunStatus, said: str) -> None:
        """A run ended, or paused: with its answer, or with why it stopped."""
        with self._file.change() as db:
            db.execute(
                "UPDATE runs SET status = ?, answer = ?, ended = ? WHERE id = ?",
                (status, said, _now(), run),
            )
        self._let_go(run)

    def begin_unit(self, run: str, unit: str) -> None:
        """A unit begins anew: what is told of it otherwise goes."""
        with self._file.change() as db:
            self._forget(db, run, unit)

    def begin_step(self, run: str, unit: str, step: int) -> None:
        """A step begins: what an interrupted try at it left behind goes."""
        with self._file.change() as db:
            for table in ("events", "calls"):
                db.execute(
                    f"DELETE FROM {table} WHERE run = ? AND unit = ? AND step = ?",
                    (run, unit, step),
                )

    def hear(self, event: Event) -> None:
        """Keep an event; one of the same name is replaced."""
        with self._file.change() as db:
            self._add_event(db, event)

    def record(self, call: Call) -> None:
        """Keep a call of a model."""
        with self._file.change() as db:
            self._add_call(db, call)

    def take(self, run: str, unit: str, bundle: Bundle) -> bool:
        """Keep all that came of a unit elsewhere in place of what there is of it, or nothing.

        False where its finding is here already: a bundle that comes twice is kept once.
        """
        for content in bundle.artefacts.values():
            self.artefacts.put(content)
        finding = bundle.finding
        with self._file.change() as db:
            if finding is not None and self._is_kept(db, finding):
                return False
            self._forget(db, run, unit)
            for event in bundle.events:
                self._add_event(db, event)
            for call in bundle.calls:
                self._add_call(db, call)
            for seal in bundle.seals:
                self._add_seal(db, run, seal)
            if finding is not None:
                self._put(db, finding)
        return True

    def put(self, finding: Finding) -> str:
        """Keep a finding with all of its rows, and give its id; once kept it does not change."""
        with self._file.change() as db:
            if not self._is_kept(db, finding):
                self._put(db, finding)
        return finding.id

    def judge(self, verdict: Verdict) -> None:
        """Keep what a person thinks, beside the finding."""
        self.finding(verdict.finding)
        with self._file.change() as db:
            db.table("verdicts").insert(rows.verdict_row(verdict))

    def mean(self, encoder: str, labels: Sequence[str], vectors_ND: Matrix) -> None:
        """Keep what labels mean to an encoder; what is kept of a label already stays."""
        with self._file.change() as db:
            db.table("vectors").insert_all(
                (
                    {"encoder": encoder, "label": label, "vector": vector}
                    for label, vector in zip(labels, packed(vectors_ND), strict=True)
                ),
                ignore=True,
            )

    def correct(self, run: str, unit: str, rate: float, adjusted: Mapping[str, float]) -> None:
        """Keep how a batch's findings stand among each other: their p, by their ids."""
        with self._file.change() as db:
            db.table("discoveries").insert_all(
                (
                    {"finding": one, "run": run, "unit": unit, "among": len(adjusted),
                     "rate": rate, "adjusted": p}
                    for one, p in adjusted.items()
                ),
                replace=True,
            )  # fmt: skip

    def open(self, key: str, claim: str, pictures: str, subject: str = "") -> bool:
        """Whether sealed pictures may be opened: once, and for the same claim again."""
        asker = who_asks()
        with self._file.change() as db:
            self._add_seal(db, asker.run if asker else None, Seal(key, claim, pictures, subject))
            query = "SELECT claim FROM seals WHERE key = ? AND pictures = ?"
            return db.execute(query, (key, pictures)).fetchone()["claim"] == claim

    def tries(self, pictures: str, subject: str) -> int:
        """How often these pictures were opened for this subject, by all runs so far."""
        query = "SELECT count(*) AS n FROM seals WHERE pictures = ? AND subject = ?"
        return int(self._file.rows(query, (pictures, subject))[0]["n"])

    def opened_for(self, subject: str) -> tuple[Seal, ...]:
        """Which sealed pictures were opened for a subject, by all runs so far."""
        query = "SELECT key, claim, pictures, subject FROM seals WHERE subject = ? ORDER BY rowid"
        return tuple(Seal(**row) for row in self._file.rows(query, (subject,)))

    def take_seals(self, other: Reader, before: datetime) -> None:
        """Count as opened what another store opened before a time: a replay's tries are those."""
        found = other.seals(before)
        with self._file.change() as db:
            db.table("seals").insert_all(found)

    def _forget(self, db: Database, run: str, unit: str) -> None:
        for table in ("events", "calls"):
            db.execute(f"DELETE FROM {table} WHERE run = ? AND unit = ?", (run, unit))

    def _add_event(self, db: Database, event: Event) -> None:
        row = rows.event_row(event)
        name = {key: row[key] for key in ("run", "unit", "step", "place")}
        db.table("events").insert(row, replace=True)
        db.table("artefacts").insert_all(
            {**name, "artefact": one}
            for one in rows.artefacts_in(self.artefacts, event.model_dump_json())
        )

    def _add_call(self, db: Database, call: Call) -> None:
        row = rows.call_row(call)
        number = db.table("calls").insert(row).last_rowid
        db.table("shown").insert_all(
            {"call": number, "artefact": one}
            for one in rows.artefacts_in(self.artefacts, row["messages"])
        )

    def _add_seal(self, db: Database, run: str | None, seal: Seal) -> None:
        row = {**seal._asdict(), "run": run, "at": _now()}
        db.table("seals").insert(row, ignore=True)

    def _is_kept(self, db: Database, finding: Finding) -> bool:
        query = "SELECT 1 FROM findings WHERE id = ?"
        return db.execute(query, (finding.id,)).fetchone() is not None

    def _put(self, db: Database, finding: Finding) -> None:
        row = rows.finding_row(finding)
        db.table("findings").insert(row)
        number = db.table("words").insert(rows.words_row(finding)).last_rowid
        db.table("hypotheses").insert_all(rows.hypothesis_rows(finding))
        db.table("scores").insert_all(rows.score_rows(finding))
        db.table("evidence").insert_all(
            {"finding": finding.id, "artefact": one}
            for one in rows.artefacts_in(self.artefacts, row["document"])
        )
        db.execute("INSERT INTO overview SELECT * FROM overview_rows WHERE number = ?", (number,))
        if (feature := row["feature"]) is not None:
            db.execute(
                "UPDATE overview SET stands = (finding = (SELECT id FROM findings "
                "WHERE coder = ? AND feature = ? ORDER BY at DESC, rowid DESC LIMIT 1)) "
                "WHERE coder = ? AND feature = ?",
                (row["coder"], feature) * 2,
            )

    def _take(self, run: str, pid: int) -> None:
        lock = self._lock(run)
        if not lock.take():
            other = self._file.rows("SELECT pid FROM runs WHERE id = ?", (run,))
            who = f"process {other[0]['pid']}" if other else "another process"
            raise UserError(
                f"The run {run} is being worked on by {who}, not by process {pid}. "
                "Wait for it or stop it, then try again"
            )
        self._mine[run] = lock

    def _let_go(self, run: str) -> None:
        lock = self._mine.pop(run, None)
        if lock is not None:
            lock.release()


def _now() -> str:
    return stamp(datetime.now(UTC))
