"""The `lmmscope` command: thin commands that hand over to the packages and print what comes back.

It computes nothing. Heavy packages are imported inside the commands: --help answers at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from lmmscope import index_commands, sae_commands, serve_command, tool_command, toybox_commands
from lmmscope.exits import TidyGroup
from lmmscope.options import AsJson, Profile

app = typer.Typer(
    cls=TidyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Finds out what features inside large multimodal models mean, and proves it.",
)
app.add_typer(sae_commands.app, name="sae")
app.add_typer(index_commands.app, name="index")
app.add_typer(toybox_commands.app, name="toybox")
app.command()(serve_command.serve)
app.command()(tool_command.tool)

PICTURE = 7
"""The toybox picture asked about where none is named."""


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


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know, in plain words.")],
    seed: Annotated[
        int | None, typer.Option(help=f"Which toybox picture to ask about; {PICTURE} by default.")
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A picture of your own instead.")] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Convert a picture of another size or mode.")
    ] = False,
    profile: Profile = None,
) -> None:
    """Ask in plain words. Until the agent is built, the target model answers about one picture."""
    from lmmscope.invocation import lmmscope
    from lmmscope.settings import load_settings
    from lmmscope.wiring import use_threads

    settings = load_settings(profile)
    toybox_commands.refuse_other_targets(settings)
    use_threads(settings)
    if seed is None and image is None:
        seed = PICTURE
    toybox_commands.show_answer(question, seed=seed, image=image, fit=fit)
    if image is None:
        typer.echo(
            f"see it    {lmmscope()} toybox gallery --seed {seed} -n 1 --out picture-{seed}.png"
        )
    typer.echo(
        "note      The agent isn't built yet: this is the target model's answer about one picture."
    )


def main() -> None:
    """The console script."""
    app(prog_name="lmmscope")
