"""`lmmscope runs`: what was asked so far, what a run did, its records as a file, cleaning up.

It prints; everything else is the store's. Heavy packages are imported inside.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lmmscope.export_files import Force, fresh_file
from lmmscope.options import AsJson, Profile

if TYPE_CHECKING:
    from agent.store import Reader

app = typer.Typer(no_args_is_help=True, help="What was asked so far, and what came of it.")
Runs = Annotated[Path | None, typer.Option(help="The runs folder; else the profile's.")]
Run = Annotated[str, typer.Argument(help="A run's id, or the beginning of it.")]


@app.command("list")
def list_runs(runs: Runs = None, as_json: AsJson = False, profile: Profile = None) -> None:
    """List all runs, the latest first."""
    from lmmscope.runs_view import show_runs

    with _reader(runs, profile) as store:
        found = store.runs_begun()
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in found], indent=2))
    else:
        show_runs(found)


@app.command()
def show(run: Run, runs: Runs = None, as_json: AsJson = False, profile: Profile = None) -> None:
    """Show what a run did, unit by unit and step by step, with what each step took."""
    from lmmscope.runs_view import show_run

    with _reader(runs, profile) as store:
        record = store.run(run)
        events, findings = store.events(record.id), store.findings(record.id)
        steps = store.step_costs(record.id)
    if as_json:
        document = {
            "run": record.model_dump(mode="json"),
            "events": [one.model_dump(mode="json") for one in events],
            "findings": [one.model_dump(mode="json") | {"id": one.id} for one in findings],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        show_run(record, events, steps, findings)


@app.command()
def export(
    run: Run,
    form: Annotated[
        Literal["json", "html", "inspect", "spans"],
        typer.Option(
            "--format",
            help="All records as JSON lines; one page with its pictures; a log for Inspect; "
            "OpenInference spans as OTLP JSON.",
        ),
    ] = "json",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; else one named after the run, here.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Send spans to $OTEL_EXPORTER_OTLP_ENDPOINT instead.")
    ] = False,
    force: Force = False,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Write everything about a run to a file, for people or for other programs."""
    from review.exports.runs import name_of, pieces_of, send_spans
    from sae_core.errors import UserError

    if send and (form != "spans" or out is not None):
        raise UserError("--send sends spans and writes no file. Try --format spans --send alone")
    with _reader(runs, profile) as store:
        record = store.run(run)
        if send:
            typer.echo(send_spans(store, record))
            return
        out = out or Path(name_of(record, form))
        with fresh_file(out, force=force) as file:
            size = sum(file.write(piece.encode()) for piece in pieces_of(store, record, form))
    typer.echo(f"wrote {out}: {size:,} bytes of the run {record.id}")


@app.command()
def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    runs: Runs = None,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Remove artefacts that no run speaks of, such as those that tools made when called by hand."""
    from agent.store.garbage import collect

    with _reader(runs, profile) as store:
        found = collect(store, dry=dry_run)
    if as_json:
        typer.echo(json.dumps(found._asdict()))
    else:
        said = "would remove" if dry_run else "removed"
        typer.echo(f"{said} {found.files} files, {found.bytes:,} bytes; {found.kept} are kept")


def _reader(runs: Path | None, profile: str | None) -> Reader:
    from agent.store import Reader
    from lmmscope.settings import load_settings

    return Reader(load_settings(profile).runs if runs is None else runs)
