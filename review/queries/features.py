"""What is known of one feature besides a finding: earlier findings, neighbours, where it was made.

Knows queries; nothing of pages.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agent.errors import UserError
from agent.events import Event
from agent.findings import BehaviourFinding, FeatureFinding, Finding
from agent.store import Reader
from agent.store.rows import event_of

MOST_SHOWN = 60
"""Pictures that models were shown: more are in the transcript."""
MOST_EARLIER = 50


class Beside(NamedTuple):
    """What lies next to a finding in the list of all features, or of all behaviours."""

    before: str | None
    """An address."""
    after: str | None


class Named(NamedTuple):
    """A feature, with what is known of it."""

    feature: int
    label: str | None
    status: str | None
    """None: nobody has looked into it."""


def coder(reader: Reader, start: str) -> str:
    """The coder whose digest begins like that; UserError if there is none, or several."""
    # The first and the last one: a list of all would read a row for each of their features.
    first, last = (
        reader.rows(
            f"SELECT coder FROM overview WHERE coder >= ? AND coder < ? ORDER BY coder {way} "
            "LIMIT 1",
            (start, f"{start}{chr(sys.maxunicode)}"),
        )
        for way in ("ASC", "DESC")
    )
    if not first:
        raise UserError(f"No finding is about a coder {start!r}. Try lmmscope findings list")
    if first[0]["coder"] != last[0]["coder"] and first[0]["coder"] != start:
        raise UserError(f"{start!r} begins several coders' digests. Give more of it")
    return first[0]["coder"]


def all_about(reader: Reader, coder: str, feature: int) -> tuple[FeatureFinding, ...]:
    """All findings about a feature, the latest first."""
    rows = reader.rows(
        "SELECT id FROM findings WHERE coder = ? AND feature = ? ORDER BY at DESC, rowid DESC "
        "LIMIT ?",
        (coder, feature, MOST_EARLIER),
    )
    found = (reader.finding(row["id"]) for row in rows)
    return tuple(one for one in found if isinstance(one, FeatureFinding))


def beside(reader: Reader, finding: Finding) -> Beside:
    """The features before and after it; of a behaviour, the earlier and the later finding."""
    if isinstance(finding, FeatureFinding):
        return Beside(
            *(
                _feature_beside(reader, finding.provenance.coder, finding.feature, *which)
                for which in (("<", "DESC"), (">", "ASC"))
            )
        )
    return Beside(
        *(_behaviour_beside(reader, finding, *which) for which in (("<", "DESC"), (">", "ASC")))
    )


def _feature_beside(reader: Reader, coder: str, feature: int, sign: str, way: str) -> str | None:
    rows = reader.rows(
        f"SELECT feature FROM overview WHERE coder = ? AND feature {sign} ? "
        f"ORDER BY feature {way} LIMIT 1",
        (coder, feature),
    )
    return f"/features/{coder[:12]}/{rows[0]['feature']}" if rows else None


def _behaviour_beside(reader: Reader, finding: BehaviourFinding, sign: str, way: str) -> str | None:
    rows = reader.rows(
        "SELECT finding FROM overview WHERE coder = ? AND feature IS NULL AND number "
        f"{sign} (SELECT number FROM overview WHERE finding = ?) ORDER BY number {way} LIMIT 1",
        (finding.provenance.coder, finding.id),
    )
    return f"/findings/{rows[0]['finding']}" if rows else None


def named(reader: Reader, coder: str, features: Iterable[int]) -> dict[int, Named]:
    """Some features with their labels, in their order."""
    wanted = list(dict.fromkeys(features))
    rows = reader.rows(
        "SELECT feature, label, status FROM overview WHERE coder = ? AND stands = 1 "
        f"AND feature IN ({', '.join('?' * len(wanted))})",
        (coder, *wanted),
    )
    known = {row["feature"]: Named(row["feature"], row["label"], row["status"]) for row in rows}
    return {one: known.get(one, Named(one, None, None)) for one in wanted}


def unit_of(reader: Reader, finding: Finding) -> str | None:
    """The part of its run that a finding was made in."""
    if isinstance(finding, FeatureFinding):
        rows = reader.rows(
            "SELECT unit FROM units WHERE run = ? AND unit LIKE ?",
            (finding.run, f"%/{finding.feature}"),
        )
    else:
        rows = reader.rows(
            "SELECT u.unit FROM units AS u CROSS JOIN events AS e "
            "ON e.run = u.run AND e.unit = u.unit AND e.kind = 'finding' AND e.result LIKE ? "
            "WHERE u.run = ? AND u.unit NOT LIKE '%/%'",
            (f"%{finding.id}%", finding.run),
        )
    return rows[0]["unit"] if rows else None


def told(reader: Reader, run: str, unit: str) -> tuple[Event, ...]:
    """The events of a unit in which its evidence, its scores and its finding are told."""
    rows = reader.rows(
        "SELECT * FROM events WHERE run = ? AND unit = ? "
        "AND (kind = 'finding' OR tool IN ('top_images', 'score')) ORDER BY step, place",
        (run, unit),
    )
    return tuple(map(event_of, rows))


def shown(reader: Reader, run: str, unit: str) -> tuple[str, ...]:
    """The pictures that models were shown in a unit, in order."""
    rows = reader.rows(
        "SELECT s.artefact, min(c.id) AS first FROM calls AS c CROSS JOIN shown AS s "
        "ON s.call = c.id WHERE c.run = ? AND c.unit = ? GROUP BY s.artefact ORDER BY first "
        "LIMIT ?",
        (run, unit, MOST_SHOWN),
    )
    return tuple(row["artefact"] for row in rows)


def neighbours(events: Iterable[Event]) -> tuple[Mapping[str, Any], ...]:
    """The features that fire along with it, as gathering its evidence told."""
    for event in events:
        if event.tool == "top_images" and event.result and event.result.get("neighbours"):
            return tuple(event.result["neighbours"])
    return ()


def threshold(events: Iterable[Event], evidence: str, label: str) -> float | None:
    """From where on the detector's word counted as yes, when a label was scored on evidence."""
    for event in events:
        result = event.result or {}
        about = (result.get("evidence"), result.get("label"))
        if event.tool == "score" and about == (evidence, label):
            return result.get("threshold")
    return None
