"""`lmmscope toybox`: ask the target model, draw the world, measure the models.

It prints; everything shown comes from the package toybox, which is imported only inside a command.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sae_core.errors import UserError

if TYPE_CHECKING:
    from lmmscope.settings import Settings

TARGET = "toybox:target"

app = typer.Typer(no_args_is_help=True, help="The toybox: a small world with known answers.")


@app.command()
def answer(
    question: Annotated[str, typer.Argument(help='Say, "is there a red car ?"')],
    seed: Annotated[int | None, typer.Option(help="Which toybox picture to ask about.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture of your own instead.")] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Convert a picture of another size or mode.")
    ] = False,
) -> None:
    """Let the target model answer a question about one picture."""
    show_answer(question, seed=seed, image=image, fit=fit)


@app.command()
def gallery(
    out: Annotated[Path, typer.Option(help="The PNG file to write.")] = Path("toybox-gallery.png"),
    seed: Annotated[int, typer.Option(help="The first picture.")] = 0,
    n: Annotated[int, typer.Option("-n", help="How many pictures.")] = 12,
    masks: Annotated[bool, typer.Option(help="Show the masks beside each picture.")] = True,
    concept: Annotated[
        str | None, typer.Option(help="Only pictures that show this, for example object:car.")
    ] = None,
) -> None:
    """Write a contact sheet of toybox pictures with the masks of what is in them."""
    from toybox.gallery import write_gallery

    typer.echo(f"wrote {write_gallery(out, seed=seed, n=n, masks=masks, only=concept)}")


@app.command()
def concepts() -> None:
    """List everything in the toybox that has a name, by class."""
    from toybox.vocabulary import CONCEPTS, MEMBERS

    for group, words in MEMBERS.items():
        typer.echo(f"{group:9} {len(words):3}  {', '.join(words)}")
    typer.echo(f"{'all':9} {len(CONCEPTS):3}  say for example object:car, or car")


@app.command()
def bench(
    seed: Annotated[int, typer.Option(help="Which fresh pictures to measure on.")] = 0,
    n: Annotated[int, typer.Option("-n", help="How many of them.")] = 200,
    role: Annotated[
        list[str] | None, typer.Option(help="A model to measure; may be repeated. All by default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the model card's table.")
    ] = False,
) -> None:
    """Measure the models on fresh pictures against their bars; exit code 1 when one is missed."""
    from toybox.bench import run

    report = run(seed=seed, n=n, roles=role)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    elif as_markdown:
        from toybox.bench_view import markdown

        typer.echo(markdown(report))
    else:
        from rich.console import Console

        from toybox.bench_view import show

        show(report, Console())
    raise typer.Exit(0 if report.passed else 1)


def refuse_other_targets(settings: Settings) -> None:
    """Only the toybox's own target can answer so far: never let it pass for another model."""
    if settings.models.target != TARGET:
        raise UserError(
            f"Profile {settings.name!r} has the target {settings.models.target!r}, "
            f"but until the agent is built only {TARGET!r} can be asked. Try --profile toybox"
        )


def show_answer(question: str, *, seed: int | None, image: Path | None, fit: bool) -> None:
    """Ask the target model and print picture, truth, question and answer."""
    if fit and image is None:
        raise UserError("--fit converts a picture of your own: add --image PATH.")
    from toybox.answer import answer as ask_target

    said = ask_target(question, seed=seed, image=image, fit=fit)
    typer.echo(f"picture   {said.picture}")
    if said.caption:
        typer.echo(f"truth     {said.caption}")
    typer.echo(f"question  {said.question}")
    typer.echo(f"answer    {said.text}   ({said.seconds:.1f} s)")
