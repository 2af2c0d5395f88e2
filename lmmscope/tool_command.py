"""`lmmscope tool`: call the agent's tools by hand or from a program, as the agent calls them.

It prints results as JSON. A failure is one line and exit code 2, or 75 where the same call may
succeed later. With --lines, calls are read from standard input and each is answered by a line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from lmmscope.options import Profile

if TYPE_CHECKING:
    from tools.lab import Lab
    from tools.tool import Result

WONT_WORK, TRY_AGAIN = 2, 75
T = TypeVar("T")


def tool(
    name: Annotated[str | None, typer.Argument(help="Which tool; none lists them.")] = None,
    given: Annotated[
        list[str] | None, typer.Argument(help="Arguments such as feature=118.", metavar="KEY=VALUE")
    ] = None,
    as_json: Annotated[
        str | None, typer.Option("--json", help="The arguments as a JSON object instead.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help='Answer lines such as {"tool": ..., "arguments": {}}.')
    ] = False,
    describe: Annotated[
        bool, typer.Option("--describe", help="Print the tool's arguments and results as schemas.")
    ] = False,
    planted_seed: Annotated[
        int | None, typer.Option(help="Planted toybox features of this seed instead of an SAE's.")
    ] = None,
    sae: Annotated[str | None, typer.Option(help="A coder's folder; else the profile's.")] = None,
    profile: Profile = None,
) -> None:
    """Call a tool of the agent's, and print what it answers as JSON."""
    from lmmscope.settings import load_settings
    from lmmscope.wiring import mend_imports, use_threads
    from tools.failures import Failure, TryAgain

    if describe and name is not None:
        typer.echo(json.dumps(_schemas(name), indent=2))
        return
    if name is None and not lines:
        _list()
        return
    settings = load_settings(profile)
    mend_imports(settings)
    use_threads(settings)
    from lmmscope.laboratory import lab_alone

    made = lab_alone(settings, planted_seed=planted_seed, sae=sae)
    if name is None:
        asyncio.run(_closed(made, _answer_lines(made)))
        return
    try:
        arguments = as_json if as_json is not None else _pairs(given or [])
        result = asyncio.run(_closed(made, _call(made, name, arguments)))
        typer.echo(result.model_dump_json(indent=2))
    except Failure as failure:
        typer.echo(failure.reason, err=True)
        raise typer.Exit(TRY_AGAIN if isinstance(failure, TryAgain) else WONT_WORK) from None


async def _closed(lab: Lab, work: Awaitable[T]) -> T:
    try:
        return await work
    finally:
        await lab.close()


async def _call(lab: Lab, name: str, arguments: str | dict[str, Any]) -> Result:
    from tools.registry import named

    chosen = named(name)
    return await chosen.call(lab, chosen.parse(arguments))


async def _answer_lines(lab: Lab) -> None:
    """One answer to each line, in order, with one lab for all of them."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            typer.echo(json.dumps(await _answer(lab, line)))


async def _answer(lab: Lab, line: str) -> dict[str, Any]:
    from tools.failures import Failure, TryAgain, WontWork

    try:
        try:
            call = json.loads(line)
            name, arguments = call["tool"], call.get("arguments", {})
        except (ValueError, TypeError, KeyError, AttributeError):
            example = '{"tool": "top_images", "arguments": {"feature": 118}}'
            raise WontWork(f"{line.strip()!r} is no call such as {example}") from None
        return {"result": (await _call(lab, name, arguments)).model_dump(mode="json")}
    except Failure as failure:
        kind = "try_again" if isinstance(failure, TryAgain) else "wont_work"
        return {"failure": kind, "reason": failure.reason}


def _list() -> None:
    from rich.console import Console
    from rich.table import Table

    from tools.registry import NAMES, named

    table = Table(box=None, pad_edge=False)
    for column in ("tool", "what it does", "cost"):
        table.add_column(column)
    for one in map(named, NAMES):
        table.add_row(one.name, one.does, one.risk)
    Console().print(table)


def _schemas(name: str) -> dict[str, Any]:
    from tools.registry import named

    chosen = named(name)
    return {
        "name": chosen.name,
        "does": chosen.does,
        "arguments": chosen.arguments.model_json_schema(),
        "result": chosen.result.model_json_schema(),
    }


def _pairs(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE arguments; a value that is no JSON is a word."""
    from tools.failures import WontWork

    values: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise WontWork(f"{pair!r} is no KEY=VALUE. Try feature=118, or --json")
        try:
            values[key] = json.loads(value)
        except json.JSONDecodeError:
            values[key] = value
    return values
