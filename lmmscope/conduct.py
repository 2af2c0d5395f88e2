"""Conducts a run on a terminal: shows it live, asks for approval, stops tidily at Ctrl-C.

Knows terminals and signals; nothing of what a run does.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from lmmscope.approving import Approver
from lmmscope.invocation import lmmscope
from lmmscope.work import Choices, Work, done

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

    from agent.running import Ended

PAUSED = 75
"""The exit code of a run that can be gone on with."""


def conduct(
    chosen: Choices, work: Work, *, replayed: str | None = None, answers: Sequence[bool] = ()
) -> None:
    """Do some work with everything that a run needs, and print how it ended.

    `answers` are given to what it asks for first; then whoever sits there is asked.
    """
    from rich.console import Console

    from sae_core.errors import UserError
    from tools.failures import Failure

    try:
        ended = asyncio.run(_conducted(chosen, work, replayed, answers))
    except Failure as failure:
        raise UserError(failure.reason) from failure
    if chosen.as_json:
        typer.echo(_json(ended))
    elif ended.status == "done":
        from rich.markdown import Markdown

        console = Console()
        console.print()
        console.print(Markdown(ended.answer))
        console.print(f"\n[dim]review it   {lmmscope()} runs show {ended.run}[/]", soft_wrap=True)
    if ended.status == "paused":
        typer.echo(f"paused: {ended.why}", err=True)
        answer = " --approve, or --refuse" if ended.asks else ""
        typer.echo(f"go on with  {lmmscope()} runs resume {ended.run}{answer}", err=True)
        raise typer.Exit(PAUSED)


async def _conducted(
    chosen: Choices, work: Work, replayed: str | None, answers: Sequence[bool]
) -> Ended:
    from langgraph.runtime import RunControl
    from rich.console import Console

    from lmmscope.batch_view import BatchView
    from lmmscope.live_view import LiveView

    console = Console(stderr=True)
    view = LiveView(console) if chosen.total is None else BatchView(console, chosen.total)
    control = RunControl()
    _drain_at_interrupt(control, "step" if chosen.ray is None else "features")
    with view:
        return await done(
            chosen,
            work,
            approve=Approver(control, answers),
            control=control,
            listeners=(view,),
            replayed=replayed,
        )


def _drain_at_interrupt(control: RunControl, what: str) -> None:
    """The first Ctrl-C waits for what is at hand, the second one ends everything at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        if control.drain_requested and task is not None:
            task.cancel()
            return
        control.request_drain("stopped by Ctrl-C")
        typer.echo(f"stopping after the {what} at hand; Ctrl-C again stops at once", err=True)

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)


def _json(ended: Ended) -> str:
    import json

    document: dict[str, Any] = ended._asdict()
    return json.dumps(document, indent=2)
