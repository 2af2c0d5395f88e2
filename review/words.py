"""Numbers, times and ids as people read them; the filters of the templates.

Knows plain values only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from agent.findings import Cost
from agent.transcript import SaidPart

_ID = re.compile(r"[0-9a-f]{64}")


def cost(spent: Cost) -> str:
    """What something took besides time, in short; nothing where it took nothing."""
    parts = [
        many(spent.calls, "call") if spent.calls else "",
        f"{spent.cached:,} cached" if spent.cached else "",
        f"{_thousands(spent.tokens)} tokens" if spent.tokens else "",
        f"{spent.money:.4f} paid" if spent.money else "",
    ]
    return " · ".join(part for part in parts if part)


def lasted(seconds: float) -> str:
    """A duration: 12 ms, 3.4 s, 2 min 5 s, 3 h 12 min."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def day(at: datetime) -> str:
    """A date and time of this machine's zone."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """A time of this machine's zone, to the second."""
    return f"{at.astimezone():%H:%M:%S}"


def short(name: str) -> str:
    """The beginning of a digest."""
    return name[:12]


def many(count: int, what: str) -> str:
    """A number of things: 1 step, 2 steps."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def ids(value: Any) -> bool:
    """Whether a value looks like the id of an artefact."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def figure(number: float) -> str:
    """A number to four digits, as far as it has a fraction."""
    return f"{number:.4g}" if isinstance(number, float) else f"{number:,}"


def two(number: float) -> str:
    """A number to two places, as scores are told."""
    return f"{number:.2f}"


def figures(value: object) -> bool:
    """Whether it is a few named numbers, which fit one line: a value with its interval."""
    return (
        isinstance(value, Mapping)
        and 0 < len(value) <= 6
        and all(isinstance(one, int | float) for one in value.values())
    )


def grouped(parts: Sequence[SaidPart]) -> list[tuple[str, list[str]]]:
    """A turn's pictures and texts in order, those of one kind in a row together."""
    named = [("pictures", one.picture) if one.picture else ("texts", one.text) for one in parts]
    return [
        (kind, [said for _, said in some if said])
        for kind, some in groupby(named, key=lambda pair: pair[0])
    ]


def _thousands(count: int) -> str:
    return f"{count:,}" if count < 10_000 else f"{count / 1000:,.0f} k"
