"""Findings by words: by their labels for whoever looks for features, else by all of their texts.

Words are compared by their stems, as SQLite's full-text search makes them. Knows queries only.
"""

from __future__ import annotations

from typing import Any

from agent.store.database import FindingsFile
from tools.labels import Known, Match, words_of

MOST_WORDS = 50
"""What is asked beyond that adds nothing."""
LATEST = """(f.feature IS NULL OR NOT EXISTS (
  SELECT 1 FROM findings AS later
  WHERE later.coder = f.coder AND later.feature = f.feature
    AND (later.at, later.rowid) > (f.at, f.rowid)
))"""
"""Of a feature, the latest finding stands."""


def labels_like(file: FindingsFile, words: str, count: int, coder: str | None) -> list[Match]:
    """Scored by the share of words in both among those in either."""
    asked = _asked(words)
    if not asked:
        return []
    rows = file.rows(
        f"""SELECT f.id, f.feature, f.status, f.summary, f.label, h.hits
        FROM ({_hits(len(asked))}) AS h JOIN findings AS f ON f.id = h.finding
        WHERE f.kind = 'feature' AND f.status = 'supported' AND f.label IS NOT NULL
          AND (? IS NULL OR f.coder = ?) AND {LATEST}""",
        (*(f'label : "{word}"' for word in asked), coder, coder),
    )
    found = [
        Match(
            feature=row["feature"],
            label=row["label"],
            score=row["hits"] / (len(asked) + len(words_of(row["label"])) - row["hits"]),
            finding=row["id"],
            status=row["status"],
            summary=row["summary"],
        )
        for row in rows
    ]
    return sorted(found, key=lambda match: (-match.score, match.feature))[:count]


def texts_like(
    file: FindingsFile,
    words: str | None,
    *,
    status: str | None,
    feature: int | None,
    count: int,
    coder: str | None,
) -> list[Known]:
    """Scored by the share of the words asked for; without words the newest come first."""
    asked = _asked(words or "")
    if words is not None and not asked:
        return []
    hits = f"JOIN ({_hits(len(asked))}) AS h ON h.finding = f.id" if asked else ""
    hit, fit = ("h.hits", "h.fit") if asked else ("1", "NULL")
    values: list[Any] = [f'"{word}"' for word in asked]
    rows = file.rows(
        f"""SELECT f.*, {hit} AS hits FROM findings AS f {hits}
        WHERE (? IS NULL OR f.status = ?) AND (? IS NULL OR f.feature = ?)
          AND (? IS NULL OR f.coder = ?) AND {LATEST}
        ORDER BY hits DESC, {fit}, f.at DESC, f.rowid DESC LIMIT ?""",
        (*values, status, status, feature, feature, coder, coder, count),
    )
    return [
        Known(
            finding=row["id"],
            feature=row["feature"],
            status=row["status"],
            label=row["label"],
            category=row["category"],
            summary=row["summary"],
            score=row["hits"] / max(1, len(asked)),
        )
        for row in rows
    ]


def _asked(words: str) -> list[str]:
    return sorted(words_of(words))[:MOST_WORDS]


def _hits(count: int) -> str:
    """How many of so many words a finding has, and how well they fit: less is better."""
    one = "SELECT finding, rank FROM words WHERE words MATCH ?"
    every = " UNION ALL ".join([one] * count)
    return f"SELECT finding, count(*) AS hits, sum(rank) AS fit FROM ({every}) GROUP BY finding"
