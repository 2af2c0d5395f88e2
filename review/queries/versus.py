"""Two runs side by side: what both found out about the same features, and what only one did.

Knows queries; nothing of pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from agent.store import Reader
from review.queries.paging import Page, key_of, mark

Kind = Literal["status", "label", "same", "left", "right"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Another status; the same status and another label; both the same; in one of the runs alone."""

# What a run found out last about each subject: a feature of a coder, or a behaviour.
_LATEST = """SELECT coder, coalesce(feature, -1) AS about,
  iif(feature IS NULL, label, '') AS behaviour, finding, status, label, max(number)
  FROM overview WHERE run = ? GROUP BY 1, 2, 3"""
_BOTH = f"""
WITH one AS MATERIALIZED ({_LATEST}), other AS MATERIALIZED ({_LATEST}),
pairs AS MATERIALIZED (
  SELECT coder, about, behaviour, l.finding AS left, l.status AS left_status,
    l.label AS left_label, r.finding AS right, r.status AS right_status, r.label AS right_label,
    CASE WHEN r.finding IS NULL THEN 'left' WHEN l.status != r.status THEN 'status'
      WHEN coalesce(lower(l.label), '') != coalesce(lower(r.label), '') THEN 'label'
      ELSE 'same' END AS kind
  FROM one AS l LEFT JOIN other AS r USING (coder, about, behaviour)
  UNION ALL
  SELECT r.coder, r.about, r.behaviour, NULL, NULL, NULL, r.finding, r.status, r.label, 'right'
  FROM other AS r LEFT JOIN one AS l USING (coder, about, behaviour) WHERE l.finding IS NULL
)"""

_SHOWN = f"""{_BOTH},
counted AS (SELECT kind, count(*) AS n FROM pairs GROUP BY kind)
SELECT * FROM (SELECT json_group_object(kind, n) AS tallies FROM counted) LEFT JOIN (
  SELECT * FROM pairs WHERE (coder, about, behaviour) > (?, ?, ?) AND (? IS NULL OR kind = ?)
  ORDER BY coder, about, behaviour LIMIT ?
) ORDER BY coder, about, behaviour"""


class Side(NamedTuple):
    """What one of the runs found out."""

    finding: str
    status: str
    label: str | None


class Pair(NamedTuple):
    """What both runs say about one feature or behaviour."""

    coder: str
    feature: int | None
    kind: Kind
    left: Side | None
    right: Side | None


class Versus(NamedTuple):
    """Two runs side by side."""

    tallies: dict[Kind, int]
    """How many subjects there are of each kind."""
    page: Page[Pair]


def side_by_side(
    reader: Reader,
    left: str,
    right: str,
    *,
    kind: Kind | None = None,
    after: str | None = None,
    size: int = 100,
) -> Versus:
    """Some subjects by coder and feature, of one kind where it is given; all of them counted.

    One query, since bringing the runs together is what takes time.
    """
    begin = key_of(after, str, int, str) if after is not None else ("", -2, "")
    found = reader.rows(_SHOWN, (left, right, *begin, kind, kind, size + 1))
    counts, rows = json.loads(found[0]["tallies"]), [row for row in found if row["kind"]]
    last = rows[size - 1] if len(rows) > size else None
    pairs = tuple(map(_pair, rows[:size]))
    further = mark(last["coder"], last["about"], last["behaviour"]) if last else None
    return Versus({one: counts.get(one, 0) for one in KINDS}, Page(pairs, further))


def _pair(row: Mapping[str, Any]) -> Pair:
    left, right = (
        Side(row[side], row[f"{side}_status"], row[f"{side}_label"]) if row[side] else None
        for side in ("left", "right")
    )
    return Pair(row["coder"], None if row["about"] < 0 else row["about"], row["kind"], left, right)
