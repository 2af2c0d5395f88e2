"""A batch as it goes: how far it is, how fast, what it costs, what came out.

Knows events and screens; nothing of what the agent is up to.
"""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agent.events import Event


class BatchView:
    """A bar below a line for each finding; what a feature's steps do is left to the transcript."""

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._began = console, time.monotonic()
        self._statuses: Counter[str] = Counter()
        self._calls, self._money, self._done = 0, 0.0, 0
        self._bar = Progress(
            BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), console=console
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def hear(self, event: Event) -> None:
        """Count, and tell findings and what failed for good."""
        if event.kind in ("tool", "failure", "plan"):
            self._calls += event.cost.calls
            self._money += event.cost.money
        if event.kind == "finding":
            self._statuses[str((event.result or {}).get("status"))] += 1
            self._counted()
            self._console.print(f" ★ {escape(event.text)}", highlight=False, soft_wrap=True)
        elif event.kind == "failure" and event.who == "batch":
            self._statuses["failed"] += 1
            self._counted()
            self._console.print(f"[red] ✗ {event.unit.rpartition('/')[2]}: {escape(event.text)}[/]")

    def _counted(self) -> None:
        self._done += 1
        minutes = (time.monotonic() - self._began) / 60
        money = f" · {self._money:.2f} paid" if self._money else ""
        told = ", ".join(f"{count} {status}" for status, count in self._statuses.most_common())
        said = f"{self._done / minutes:.1f} a minute · {self._calls} calls{money} · {told}"
        self._bar.update(self._task, completed=self._done, description=said)
