"""What the pages can't do themselves, since it needs models or costs something.

Whoever starts the application implements it, and may leave it out: then the pages only read. Knows
what is asked for and what comes back; nothing of how it is done.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from agent.store.vectors import Near
from review.bench import Bench


class Refused(Exception):
    """It can't be done now; the message is one line that says why and what to do."""


class Bar(NamedTuple):
    """How many of a feature's activations lie between two values."""

    low: float
    high: float
    count: int


class Neighbour(NamedTuple):
    """A feature that often fires on the same pictures."""

    feature: int
    share: float
    """Of the pictures on which one of the two fires, how many make both fire."""


class IndexRecord(NamedTuple):
    """What an index knows of a feature that its evidence does not."""

    bars: tuple[Bar, ...]
    """Of all its activations, weakest first."""
    neighbours: tuple[Neighbour, ...]


class Eyes(Protocol):
    """Whoever has the pictures and the indexes that findings were made from; no model is loaded."""

    def picture(self, split: str, number: int, finding: str | None = None) -> bytes:
        """A picture of a split, as PNG.

        Refused if these are not the pictures that the finding was made from, and if they are sealed
        and no verification of the finding shows this one.
        """
        ...

    def record(self, finding: str) -> IndexRecord:
        """What the index knows of a finding's feature; Refused if that index is not here."""
        ...


class Nearest(NamedTuple):
    """Labels that mean what was asked for, the nearest first."""

    near: tuple[Near, ...]
    unread: int
    """How many labels have not been read yet; they are being read."""


class Meaning(Protocol):
    """Whoever has a model that knows what words mean."""

    def nearest(self, words: str, count: int) -> Nearest:
        """The labels of findings that mean what is most like these words."""
        ...


class Process(NamedTuple):
    """What goes on for a run that the store does not tell."""

    doing: Literal["starting", "pausing", "failed"]
    said: str
    """The end of what it printed."""


class Hands(Eyes, Meaning, Bench, Protocol):
    """Whoever works on runs."""

    async def ask(self, question: str) -> str:
        """Begin a run with a question, and give its id at once; Refused if none may begin."""
        ...

    async def resume(self, run: str) -> None:
        """Go on with a run that stopped; Refused if it is being worked on or done."""
        ...

    async def answer(self, run: str, asked: str, *, agreed: bool) -> None:
        """Say yes or no to what a run asked at a place of its transcript, and go on with it.

        Refused if it asks for nothing, or for something else by now.
        """
        ...

    async def pause(self, run: str) -> None:
        """Let a run stop after the step at work; Refused if nobody works on it."""
        ...

    async def abort(self, run: str) -> None:
        """Stop a run for good; Refused if whoever works on it does not stop."""
        ...

    def process(self, run: str) -> Process | None:
        """What goes on for a run, or for one that is about to begin."""
        ...
