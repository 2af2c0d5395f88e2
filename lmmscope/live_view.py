"""What the agent does, as it does it: a line for each thing that happens.

Knows events and screens; nothing of what the agent is up to.
"""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.markup import escape

from agent.events import Event

MARKS = {
    "asked": "?", "plan": "plan", "task": "▸", "tool": "·", "hypotheses": "◇", "test": "◇",
    "verdict": "●", "steering": "↯", "finding": "★", "approval": "!", "note": " ", "failure": "✗",
}  # fmt: skip
STYLES = {
    "plan": "bold", "task": "bold", "tool": "dim", "verdict": "bold", "finding": "bold green",
    "failure": "red", "approval": "yellow", "note": "dim",
}  # fmt: skip


class LiveView:
    """Prints events; the answer itself is left to whoever prints it last."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def hear(self, event: Event) -> None:
        """One line."""
        if event.kind in ("asked", "answer"):
            return
        where = "" if "/" not in event.unit else f"{event.unit.rpartition('/')[2]} "
        took = _took(event)
        style = STYLES.get(event.kind, "")
        line = f"{MARKS.get(event.kind, '·'):>4} {where}{_named(event)}{event.text}"
        self._console.print(
            f"[{style}]{escape(line)}[/]{took}" if style else escape(line) + took,
            soft_wrap=True,
            highlight=False,
        )


def _named(event: Event) -> str:
    return f"{event.tool}: " if event.tool else ""


def _took(event: Event) -> str:
    cost = event.cost
    parts = []
    if cost.calls:
        parts.append(f"{cost.calls} calls")
    if cost.seconds >= 0.05:
        parts.append(f"{cost.seconds:.1f} s")
    return f" [dim]{', '.join(parts)}[/]" if parts else ""
