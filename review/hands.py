"""What the pages can't do themselves, since it needs models or costs something.

Whoever starts the application implements it, and may leave it out: then the pages only read. Knows
what is asked for and what comes back; nothing of how it is done.
"""

from __future__ import annotations

from typing import Protocol


class Refused(Exception):
    """It can't be done now; the message is one line that says why and what to do."""


class Hands(Protocol):
    """Whoever works on runs."""

    async def ask(self, question: str) -> str:
        """Begin a run with a question, and give its id at once; Refused if none may begin."""
        ...

    async def resume(self, run: str) -> None:
        """Go on with a run that stopped; Refused if it is being worked on or done."""
        ...

    async def pause(self, run: str) -> None:
        """Let a run stop after the step at work; Refused if another process works on it."""
        ...

    async def abort(self, run: str) -> None:
        """Stop a run for good; Refused if another process works on it."""
        ...
