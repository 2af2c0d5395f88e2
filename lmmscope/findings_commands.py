"""`lmmscope findings`: what was found out, as a file for other programs.

It writes; what a row says is the review package's. Heavy packages are imported inside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from lmmscope.export_files import Force, fresh_file
from lmmscope.options import Profile
from lmmscope.runs_commands import Runs
from sae_core.errors import UserError

if TYPE_CHECKING:
    from agent.findings import Finding
    from agent.store import Reader

app = typer.Typer(no_args_is_help=True, help="What was found out.")
FindingsFormat = Literal["csv", "jsonl", "parquet", "neuronpedia"]
FindingStatus = Literal[
    "supported", "refuted", "no explanation", "too rare",
    "fixed", "improved", "not fixed", "not reproduced",
]  # fmt: skip


@app.callback()
def _group() -> None:
    pass


@app.command()
def export(
    form: Annotated[
        FindingsFormat,
        typer.Option("--format", help="neuronpedia is a ZIP of its batch files, and needs --out."),
    ] = "csv",
    out: Annotated[
        Path | None, typer.Option(help="The file to write; else csv and jsonl are printed.")
    ] = None,
    status: Annotated[FindingStatus | None, typer.Option(help="Only findings of this.")] = None,
    run: Annotated[
        str | None, typer.Option(help="All findings of one run; else the latest of each feature.")
    ] = None,
    force: Force = False,
    runs: Runs = None,
    profile: Profile = None,
) -> None:
    """Write findings: a row each with every score, its interval and its nulls."""
    from agent.store import Reader
    from lmmscope.settings import load_settings
    from review.exports.source import each_finding

    if out is None and form in ("parquet", "neuronpedia"):
        raise UserError(f"--format {form} can't be printed. Give it a file with --out FILE")
    with Reader(load_settings(profile).runs if runs is None else runs) as store:
        chosen = None if run is None else store.run(run).id
        findings = each_finding(store, status=status, run=chosen)
        if out is None:
            _write(store, findings, form, sys.stdout.buffer)
            return
        with fresh_file(out, force=force) as file:
            told = _write(store, findings, form, file)
    typer.echo(f"wrote {out}: {told}")


def _write(
    store: Reader, findings: Iterable[Finding], form: FindingsFormat, file: IO[bytes]
) -> str:
    """Write all of them, and say what it came to."""
    if form == "neuronpedia":
        from review.exports.neuronpedia import write_neuronpedia

        told = write_neuronpedia(store, findings, file)
        gone = f"; the evidence of {told.without_evidence} is gone" if told.without_evidence else ""
        return (
            f"{told.features} features, {told.explanations} explanations, "
            f"{told.activations} activations{gone}"
        )
    counted = _Counted(findings)
    if form == "parquet":
        from review.exports.parquet import write_parquet

        write_parquet(counted, file)
    else:
        from review.exports.csv_lines import csv_lines
        from review.exports.json_lines import json_lines

        for line in csv_lines(counted) if form == "csv" else json_lines(counted):
            file.write(line.encode())
    return f"{counted.count} findings"


class _Counted:
    """Findings as they go by, and how many went by."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._findings, self.count = findings, 0

    def __iter__(self) -> Iterator[Finding]:
        for finding in self._findings:
            self.count += 1
            yield finding
