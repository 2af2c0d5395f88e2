"""A histogram in one line of text."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def bars(counts: Sequence[int]) -> str:
    """One character a bin, as high as its count; nothing where there is none."""
    most = max([*counts, 1])
    return "".join(" " if c == 0 else BARS[(c * len(BARS) - 1) // most] for c in counts)
