"""Marks from 1 to 10 for how far a reply goes with a label.

By the profile's judge, who sees a text and a topic and nothing else; or, where a judge can only say
yes or no about pictures, as the toybox's, by words: 1 and 9 times the share of the label's words
that the reply says. That is no judgement, but a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lmmscope.settings import Settings
from lmmscope.wiring import SHIPPED
from sae_core.scoring.resampling import Span
from tools.claims import parse
from tools.effects import Effect, judged
from tools.lab import Lab
from tools.labels import words_of

MARKS = Span(1.0, 10.0)
GENERIC = {"color", "pattern", "word", "face"}
"""Words of labels that nobody says of what he sees."""


class Marker(NamedTuple):
    """Who gives marks."""

    name: str
    by_words: bool

    async def marks(self, lab: Lab, label: str, texts: Sequence[str]) -> list[float | None]:
        """One for each text; None where the judge gave none."""
        if self.by_words:
            return [MARKS.low + (MARKS.high - MARKS.low) * said(text, label) for text in texts]
        found = await judged(lab, label, texts)
        effects = (found[text] for text in texts)
        return [float(one.score) if isinstance(one, Effect) else None for one in effects]


def marker_of(settings: Settings) -> Marker:
    """The profile's judge, if it reads texts."""
    shipped = (settings.models.judge or "").startswith(SHIPPED)
    if shipped and settings.servers.judge is None:
        return Marker("1 + 9 times the share of the label's words that are said", by_words=True)
    server = settings.servers.judge
    return Marker(settings.models.judge or (server.model if server else "") or "the judge", False)


def said(text: str, label: str) -> float:
    """Which share of a label's words a text says; of alternatives, of the one that it says most."""
    wanted = [words_of(one) - GENERIC for one in parse(label).any_of]
    return max(len(one & words_of(text)) / len(one) if one else 0.0 for one in wanted)


def names(text: str, label: str) -> bool:
    """Whether a text says all words of a label, or of one of its alternatives."""
    return said(text, label) == 1
