"""`lmmscope runs resume`, `replay` and `fork`: a run taken up again, gone through, or left.

Knows options that a run keeps of itself; the agent does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lmmscope.conduct import conduct
from lmmscope.limits import Calls, Money, Runs, Spend, Tokens
from lmmscope.options import Profile
from lmmscope.work import Choices, ready, resuming
from sae_core.errors import UserError

if TYPE_CHECKING:
    from langgraph.runtime import RunControl

    from agent.findings import Finding
    from agent.running import Approve, Ended, Hands
    from agent.store import RunRecord
    from lmmscope.settings import Settings

Run = Annotated[str, typer.Argument(help="A run's id, or the beginning of it.")]


def resume(
    run: Run,
    agreed: Annotated[
        bool | None,
        typer.Option("--approve/--refuse", help="What you say to what the run asked for."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    calls: Calls = None,
    tokens: Tokens = None,
    money: Money = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Another Ray cluster than before; here: none."),
    ] = None,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Go on with a run that was paused or killed; nothing that is done is done again.

    It may spend as much again as it was begun with, or what is given here.
    """
    settings = ready(profile, runs)
    record, options = _recorded(settings, run)
    if record.status == "done":
        raise UserError(
            f"The run {record.id} is done. Try lmmscope runs show {record.id}, or ask anew"
        )
    if agreed is not None:
        _check_it_asks(settings, record.id)
    if ray is not None:
        options["ray"] = None if ray == "here" else ray

    chosen = Choices(settings, Spend(calls, tokens, money), as_json=as_json).again(options)
    conduct(chosen, resuming(record.id), answers=() if agreed is None else (agreed,))


def replay(
    run: Run,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Go through a run once more with the recorded replies; its findings have to come out alike."""
    settings = ready(profile, runs)
    record, options = _recorded(settings, run)
    if record.plan is None or record.status != "done":
        raise UserError(f"The run {record.id} is {record.status}: only one that is done replays")
    differing: list[str] = []

    async def work(hands: Hands, approve: Approve, control: RunControl) -> Ended:
        from agent.running import do

        assert record.plan is not None
        ended = await do(hands, record.id, record.plan, approve=approve, control=control)
        differing.extend(_differences(settings, record.id, hands.store.findings(record.id)))
        return ended

    chosen = Choices(settings, as_json=as_json).again(options)._replace(spend=Spend())
    conduct(chosen, work, replayed=record.id, answers=_answers(settings, record.id))
    for line in differing:
        typer.echo(line, err=True)
    if differing:
        raise typer.Exit(1)
    typer.echo("replayed: the findings are the same", err=True)


def fork(
    run: Run,
    at: Annotated[
        str,
        typer.Option(help="UNIT.STEP, such as 0/118.5, or an event's whole name: RUN/0/118.5.2."),
    ],
    steer: Annotated[
        bool | None,
        typer.Option(
            "--steer/--no-steer", help="Whether features are written into the model; as before."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    calls: Calls = None,
    tokens: Tokens = None,
    money: Money = None,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Go on differently from a step of a run, in a new run; up to there both say the same.

    Other rules, another budget, another model by the profile: what was said before that step is
    taken from the record, from then on models are asked. A sealed test counts as one more try.
    """
    settings = ready(profile, runs)
    record, options = _recorded(settings, run)
    if record.alive:
        raise UserError(
            f"The run {record.id} is being worked on by process {record.pid}: it may come to more. "
            f"Wait for it or stop it, then lmmscope runs fork {record.id} --at {at}"
        )
    options["fork"] = _event(settings, record.id, at)
    if steer is not None:
        options["steer"] = steer

    async def work(hands: Hands, approve: Approve, control: RunControl) -> Ended:
        from agent.naming import run_name
        from agent.running import fork as forked

        return await forked(hands, run_name(), approve=approve, control=control)

    chosen = Choices(settings, Spend(calls, tokens, money), as_json=as_json).again(options)
    conduct(chosen, work)


def _check_it_asks(settings: Settings, run: str) -> None:
    """An answer that nobody waits for would be given to whatever is asked next."""
    from agent.approval import waiting
    from agent.store import Reader

    with Reader(settings.runs) as store:
        if run not in waiting(store, [run]):
            raise UserError(
                f"The run {run} asked for nothing that could be approved or refused. "
                f"Try lmmscope runs resume {run}"
            )


def _answers(settings: Settings, run: str) -> tuple[bool, ...]:
    """What people said to what the run asked for."""
    from agent.approval import answers
    from agent.store import Reader

    with Reader(settings.runs) as store:
        return answers(store, run)


def _event(settings: Settings, run: str, at: str) -> str:
    """The name of the event that is meant; said before any model is loaded if there is none."""
    from agent.fork import fork_at
    from agent.store import Reader

    with Reader(settings.runs) as store:
        return fork_at(store, run, at).event


def _recorded(settings: Settings, run: str) -> tuple[RunRecord, dict[str, Any]]:
    from agent.running import options_of
    from agent.store import Reader

    with Reader(settings.runs) as store:
        record = store.run(run)
        return record, options_of(store, record.id)


def _differences(settings: Settings, run: str, again: tuple[Finding, ...]) -> list[str]:
    """What did not come out alike; time and cost may differ."""
    from agent.store import Reader

    with Reader(settings.runs) as store:
        before = {one.key: _lasting(one) for one in store.findings(run)}
    after = {one.key: _lasting(one) for one in again}
    return [
        f"{key[:12]}: {sorted(name for name in one if one[name] != other.get(name))} differ"
        for key, one in before.items()
        if one != (other := after.get(key, {}))
    ]


def _lasting(finding: Finding) -> dict[str, Any]:
    return finding.model_dump(mode="json", exclude={"at", "cost", "provenance"})
