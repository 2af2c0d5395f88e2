"""What a reply says to a question that wants yes or no: POPE's rule, and a stricter one.

Knows words only.
"""

from __future__ import annotations

import re

DENYING = frozenset(("No", "no", "not"))


def polled(reply: str) -> bool:
    """POPE's rule: yes, unless the first sentence has a word that denies."""
    first = reply.split(".", 1)[0].replace(",", "")
    return not DENYING & set(first.split(" "))


def yes_or_no(reply: str) -> bool | None:
    """The word that it begins with, or the only one of both in it; None where that is neither."""
    words = re.findall(r"[a-z]+", reply.lower())
    found = [word for word in words if word in ("yes", "no")]
    if not found or (words[0] not in ("yes", "no") and len(set(found)) > 1):
        return None
    return found[0] == "yes"
