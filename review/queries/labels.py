"""Features by what is known of them, for whoever looks for one to write.

Knows queries; nothing of pages.
"""

from __future__ import annotations

from agent.store import Reader
from review.queries.findings import FindingLine, Wanted, page

MOST = 8


def labelled(reader: Reader, words: str, coder: str | None = None) -> tuple[FindingLine, ...]:
    """The features that fit some words best; of one coder where it is known."""
    wanted = Wanted(words=words, kind="feature", coder=coder)
    return page(reader, wanted, sort="fit", size=MOST).rows
