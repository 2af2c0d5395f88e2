"""The `lmmscope` command: thin commands that hand over to the packages and print what comes back.

It computes nothing. Heavy packages are imported inside the commands: --help answers at once.
"""

from typing import Annotated

import typer

from lmmscope import (
    again_commands,
    ask_command,
    batch_command,
    findings_commands,
    index_commands,
    mcp_command,
    review_command,
    runs_commands,
    sae_commands,
    serve_command,
    steer_command,
    tool_command,
    toybox_commands,
)
from lmmscope.exits import TidyGroup
from lmmscope.options import AsJson, Profile

app = typer.Typer(
    cls=TidyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds out what features inside large multimodal models mean, and proves it.",
)
runs_commands.app.command()(again_commands.resume)
runs_commands.app.command()(again_commands.replay)
runs_commands.app.command()(again_commands.fork)
app.command()(ask_command.ask)
app.command()(batch_command.batch)
app.add_typer(runs_commands.app, name="runs")
app.add_typer(findings_commands.app, name="findings")
app.command()(review_command.review)
app.command()(steer_command.steer)
app.add_typer(sae_commands.app, name="sae")
app.add_typer(index_commands.app, name="index")
app.add_typer(toybox_commands.app, name="toybox")
app.command()(serve_command.serve)
app.command()(tool_command.tool)
app.command()(mcp_command.mcp)


def _version(wanted: bool) -> None:
    if wanted:
        from lmmscope import __version__

        typer.echo(f"lmmscope {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def doctor(
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what is installed and found, and the command to run for each thing that is missing."""
    from rich.console import Console

    from lmmscope.doctor import examine
    from lmmscope.doctor_view import show

    diagnosis = examine(profile)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        show(diagnosis, Console())
    raise typer.Exit(0 if diagnosis.healthy else 1)


def main() -> None:
    """The console script."""
    app(prog_name="lmmscope")
