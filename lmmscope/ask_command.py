"""`lmmscope ask`: a question in plain words, an answer that cites what it rests on.

Knows options; the agent does the rest.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from lmmscope.conduct import conduct
from lmmscope.limits import (
    Calls,
    Free,
    Money,
    PlantedSeed,
    Runs,
    Sae,
    Spend,
    Steer,
    Tokens,
    Workers,
)
from lmmscope.options import Profile
from lmmscope.work import Choices, asking, ready

if TYPE_CHECKING:
    from lmmscope.settings import Settings


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know, in plain words.")],
    go_on: Annotated[
        bool, typer.Option("--continue", help="In the conversation of the latest run.")
    ] = False,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Print the plan as JSON and do nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer as JSON; steps go to standard error.")
    ] = False,
    run: Annotated[
        str | None, typer.Option(help="What to call the run; else a name is made up.")
    ] = None,
    calls: Calls = None,
    tokens: Tokens = None,
    money: Money = None,
    workers: Workers = None,
    steer: Steer = True,
    free: Free = False,
    runs: Runs = None,
    planted_seed: PlantedSeed = None,
    sae: Sae = None,
    profile: Profile = None,
) -> None:
    """Ask the agent: what does feature 12 respond to? why does it see umbrellas? find a fix."""
    settings = ready(profile, runs)
    if plan_only:
        _plan(settings, question, go_on)
        return
    chosen = Choices(
        settings,
        Spend(calls, tokens, money),
        workers,
        steer,
        planted_seed,
        sae,
        as_json,
        free,
    )
    conduct(chosen, asking(question, go_on=go_on, run=run))


def _plan(settings: Settings, question: str, go_on: bool) -> None:
    """No model of the profile's is loaded for this."""
    from agent.conversation import conversation
    from lmmscope.agent_hands import open_store, planner

    before = ()
    if go_on:
        with open_store(settings) as store:
            before = conversation(store)
    planned = asyncio.run(planner(settings).plan(question, before))
    typer.echo(planned.model_dump_json(indent=2))
